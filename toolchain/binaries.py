"""What is built from what: the table of binaries, and the key under which each one is cached.

A binary's key is a digest of its module's files and of the command that builds it. The Go release is
left out on purpose: `go.mod` already states the oldest one that will do, and half an hour of rebuilding
after each compiler update buys nothing (docs/adr/0003).
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from toolchain.folders import CHECKOUT, Folders

MODULES = CHECKOUT / "toolchain" / "modules"
GO_FLAGS = ("-mod=readonly", "-trimpath", "-buildvcs=false", "-modcacherw")
PULUMI_VERSION = "3.259.0"
PULUMI_SDK_VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"
# Resource plugin -> version; they match the SDKs in requirements/deploy.txt and the sources that go.mod pins.
PLUGINS = {"kubernetes": "4.25.0", "docker-build": "0.0.22"}
# Built only where they are asked for.
FURTHER_PLUGINS = {"docker": "4.11.2"}
BUILDKIT_VERSION = "0.31.0"
KUBERNETES_VERSION = "1.34.3"
# Without them the API server calls itself v0.0.0, and clients that compare versions (Pulumi, Helm) stumble.
KUBERNETES_LDFLAGS = "-s -w " + " ".join(
    f"-X k8s.io/{package}.{name}={value}"
    for package in ("component-base/version", "client-go/pkg/version")
    for name, value in (("gitVersion", f"v{KUBERNETES_VERSION}"), ("gitMajor", "1"), ("gitMinor", "34"))
)


@dataclass(frozen=True, kw_only=True)
class Companion:
    """A file that a binary needs beside it, taken as it is from a Go module."""

    module: str
    """Folder under toolchain/modules whose go.mod says which version of the Go module is meant."""
    go_module: str
    file: str
    """Path inside the Go module."""


@dataclass(frozen=True, kw_only=True)
class Host:
    """A command whose source, one file, is compiled together with the files of ours that mend it."""

    go_module: str
    file: str
    """Path inside the Go module."""


@dataclass(frozen=True, kw_only=True)
class Binary:
    """One executable and where its source is declared."""

    name: str
    """File name of the executable."""
    module: str
    """Folder under toolchain/modules whose go.mod and go.sum pin the source."""
    package: str
    """What `go build` is pointed at, from inside that folder."""
    ldflags: str = "-s -w"
    aliases: tuple[str, ...] = ()
    """Further names, as links beside the executable, that change what it does."""
    companion: Companion | None = None
    host: Host | None = None
    """The command that the module's own files are compiled into; None where they are a command, or only name one."""


PULUMI = (
    Binary(
        name="pulumi",
        module="pulumi",
        package="github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        ldflags=f"-s -w -X {PULUMI_SDK_VERSION_VARIABLE}=v{PULUMI_VERSION}",
    ),
    Binary(
        name="pulumi-language-python",
        module="pulumi-language-python",
        package=".",
        host=Host(
            go_module="github.com/pulumi/pulumi/sdk/v3", file="python/cmd/pulumi-language-python/main.go"
        ),
        # The host's source left the SDK module long ago; the script that it starts programs with must match the SDK.
        companion=Companion(
            module="pulumi",
            go_module="github.com/pulumi/pulumi/sdk/v3",
            file="python/cmd/pulumi-language-python-exec",
        ),
    ),
    Binary(
        name="pulumi-resource-docker-build",
        module="pulumi-resource-docker-build",
        package="github.com/pulumi/pulumi-docker-build/provider/cmd/pulumi-resource-docker-build",
        ldflags=f"-s -w -X github.com/pulumi/pulumi-docker-build/provider.Version={PLUGINS['docker-build']}",
    ),
    Binary(name="pulumi-resource-kubernetes", module="pulumi-resource-kubernetes", package="."),
)
BUILDER = (
    Binary(
        name="buildkitd",
        module="pulumi-resource-docker-build",
        package="github.com/moby/buildkit/cmd/buildkitd",
        ldflags=f"-s -w -X github.com/moby/buildkit/version.Version=v{BUILDKIT_VERSION}",
    ),
)
CLUSTER = (
    Binary(name="kube", module="kube", package=".", ldflags=KUBERNETES_LDFLAGS, aliases=("kubectl",)),
    Binary(name="pause", module="kube", package="./pause"),
    Binary(
        name="metrics-server",
        module="metrics-server",
        package="sigs.k8s.io/metrics-server/cmd/metrics-server",
    ),
    Binary(name="coredns", module="coredns", package="."),
)
TESTS = (
    # Nothing that is deployed needs these. The S3 server that the model repository is tested against:
    Binary(name="versitygw", module="versitygw", package="github.com/versity/versitygw/cmd/versitygw"),
    # Runs programs in YAML: an example of another language that the components are used from.
    Binary(
        name="pulumi-language-yaml",
        module="pulumi-language-yaml",
        package="github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
    ),
    # And programs in TypeScript and Go, with the SDKs that these make for them (docs/adr/0091).
    Binary(name="pulumi-language-nodejs", module="pulumi-languages", package="./nodejs"),
    Binary(name="pulumi-language-go", module="pulumi-languages", package="./golang"),
)
# `bin/setup --docker-host`: the plugin for stacks on a plain Docker host.
DOCKER_HOST = (Binary(name="pulumi-resource-docker", module="pulumi-resource-docker", package="."),)
# `bin/setup --stand-in-nodes`: the kubelet of a thousand nodes that are not there (docs/adr/0008).
STAND_IN_NODES = (Binary(name="kwok", module="kwok", package="sigs.k8s.io/kwok/cmd/kwok"),)
# `bin/setup --controllers`: what reads the custom resources that the components declare, for tests/by_hand/ecosystem.
CONTROLLERS = (
    Binary(name="traefik", module="traefik", package="github.com/traefik/traefik/v3/cmd/traefik"),
    Binary(name="keda-operator", module="keda", package="github.com/kedacore/keda/v2/cmd/operator"),
    Binary(name="keda-adapter", module="keda", package="github.com/kedacore/keda/v2/cmd/adapter"),
    Binary(name="kueue", module="kueue", package="sigs.k8s.io/kueue/cmd/kueue"),
)
ALL = CLUSTER + BUILDER + PULUMI + TESTS + DOCKER_HOST + STAND_IN_NODES + CONTROLLERS


def named(name: str) -> Binary:
    """Return the table's entry for an executable."""
    return next(binary for binary in ALL if binary.name == name)


def key(binary: Binary, modules: Path = MODULES) -> str:
    """Return twelve hexadecimal digits that change when the source, its pins or the build command do."""
    digest = hashlib.sha256()
    companion = binary.companion
    for folder in (modules / binary.module, *([modules / companion.module] if companion else [])):
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            digest.update(f"{path.relative_to(folder).as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    command = (
        binary.package,
        binary.ldflags,
        *GO_FLAGS,
        *binary.aliases,
        *([companion.file] if companion else []),
        *([binary.host.go_module, binary.host.file] if binary.host else []),
    )
    digest.update("\0".join(command).encode())
    return digest.hexdigest()[:12]


def location(binary: Binary, folders: Folders, modules: Path = MODULES) -> Path:
    """Return the path at which the executable stands once it is built."""
    return folders.binaries / f"{binary.name}-{key(binary, modules)}" / binary.name


def missing(wanted: tuple[Binary, ...], folders: Folders, modules: Path = MODULES) -> tuple[Binary, ...]:
    """Return the binaries that still have to be built."""
    return tuple(binary for binary in wanted if not location(binary, folders, modules).exists())
