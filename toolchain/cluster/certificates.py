"""One authority for this cluster, and a certificate for every component that speaks TLS or logs in.

Made with openssl, with elliptic curve keys (a full set takes a quarter of a second). A component's
identity is its certificate: the common name is the Kubernetes user, the organisation its group, so RBAC
decides what each may do. Nothing is verified by hope: every connection checks the other side.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from toolchain.cluster.layout import (
    API_SERVICE_ADDRESS,
    CLUSTER_DOMAIN,
    NODE,
    NODE_ADDRESS,
)
from toolchain.errors import ComponentFailed

DAYS = "3650"  # the folder goes away with the cluster; expiry must not be what ends it


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """What a certificate says about its holder."""

    name: str
    common_name: str
    organisation: str = ""
    names: tuple[str, ...] = ()
    """Subject alternative names; a certificate with names is a server's as well."""


_LOOPBACK = ("IP:127.0.0.1", "DNS:localhost")
_API_NAMES = tuple(
    f"DNS:kubernetes{suffix}" for suffix in ("", ".default", ".default.svc", f".default.svc.{CLUSTER_DOMAIN}")
)

CERTIFICATES = (
    Certificate(
        name="apiserver",
        common_name="kube-apiserver",
        names=(*_LOOPBACK, f"IP:{API_SERVICE_ADDRESS}", f"IP:{NODE_ADDRESS}", *_API_NAMES),
    ),
    Certificate(name="etcd", common_name="etcd", names=_LOOPBACK),
    Certificate(name="front-proxy", common_name="front-proxy-client"),
    # The group that the built-in binding system:kube-apiserver-to-kubelet expects does not exist by default.
    Certificate(
        name="kubelet-client", common_name="kube-apiserver-kubelet-client", organisation="system:masters"
    ),
    Certificate(name="kubelet", common_name=NODE, names=(f"IP:{NODE_ADDRESS}", f"DNS:{NODE}")),
    Certificate(
        name="metrics-server",
        common_name="metrics-server",
        names=("DNS:metrics-server.kube-system.svc", f"IP:{NODE_ADDRESS}"),
    ),
    Certificate(name="admin", common_name="admin", organisation="system:masters"),
    Certificate(name="node", common_name=f"system:node:{NODE}", organisation="system:nodes"),
    Certificate(name="controller-manager", common_name="system:kube-controller-manager"),
    Certificate(name="scheduler", common_name="system:kube-scheduler"),
    Certificate(name="proxy", common_name="system:kube-proxy"),
    Certificate(name="coredns-client", common_name="system:coredns"),
    Certificate(name="metrics-client", common_name="system:metrics-server"),
)
# User of each client configuration -> the certificate it logs in with.
CLIENTS = {
    "admin": "admin", "kubelet": "node", "controller-manager": "controller-manager", "scheduler": "scheduler",
    "proxy": "proxy", "coredns": "coredns-client", "metrics-server": "metrics-client",
}  # fmt: skip


def make_all(folder: Path) -> None:
    """Make what is missing: a second call changes nothing, a half-made set is completed."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not (folder / "service-account.pub").exists():
        _key(folder / "service-account.key")
        # The API server verifies tokens with the public half, and reads it in no other form.
        _openssl(
            "pkey", "-in", f"{folder}/service-account.key", "-pubout", "-out", f"{folder}/service-account.pub"
        )
    if not (folder / "ca.crt").exists():
        _authority(folder)
    for certificate in CERTIFICATES:
        if not (folder / f"{certificate.name}.crt").exists():
            _issue(certificate, folder)


def _key(path: Path) -> None:
    draft = path.with_suffix(".draft")
    _openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(draft))
    draft.rename(path)


def _authority(folder: Path) -> None:
    _key(folder / "ca.key")
    draft = folder / "ca.draft"
    _openssl(
        "req", "-x509", "-new", "-key", str(folder / "ca.key"), "-subj", f"/CN={NODE}", "-days", DAYS,
        "-out", str(draft),
    )  # fmt: skip
    draft.rename(folder / "ca.crt")


def _issue(certificate: Certificate, folder: Path) -> None:
    stem = folder / certificate.name
    _key(stem.with_suffix(".key"))
    organisation = f"/O={certificate.organisation}" if certificate.organisation else ""
    extensions = stem.with_suffix(".ext")
    extensions.write_text(extension_file(certificate))
    request, draft = str(stem.with_suffix(".csr")), stem.with_suffix(".draft")
    subject = f"{organisation}/CN={certificate.common_name}"
    _openssl("req", "-new", "-key", str(stem.with_suffix(".key")), "-subj", subject, "-out", request)
    _openssl(
        "x509", "-req", "-in", request, "-CA", str(folder / "ca.crt"), "-CAkey", str(folder / "ca.key"),
        "-CAcreateserial", "-days", DAYS, "-extfile", str(extensions), "-out", str(draft),
    )  # fmt: skip
    draft.rename(stem.with_suffix(".crt"))


def extension_file(certificate: Certificate) -> str:
    """Return the X.509 extensions in openssl's file format: client use always, server use where there are names."""
    if not certificate.names:
        return "extendedKeyUsage=clientAuth\n"
    return f"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName={','.join(certificate.names)}\n"


def _openssl(*arguments: str) -> None:
    result = subprocess.run(["openssl", *arguments], capture_output=True, text=True)
    if result.returncode != 0:
        raise ComponentFailed(f"openssl {arguments[0]} failed: {result.stderr.strip()}")
