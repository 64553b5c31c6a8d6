"""Cluster DNS and metrics as cluster services: fills in addons.yaml and applies it."""

import base64
from pathlib import Path
from string import Template

from toolchain.cluster.kubectl import Kubectl
from toolchain.cluster.layout import DNS_SERVICE_ADDRESS, METRICS_PORT, NODE_ADDRESS, Layout


def manifests(layout: Layout) -> str:
    """Return the objects with this cluster's addresses and authority."""
    return Template(Path(__file__).with_name("addons.yaml").read_text()).substitute(
        DNS_SERVICE_ADDRESS=DNS_SERVICE_ADDRESS,
        NODE_ADDRESS=NODE_ADDRESS,
        METRICS_PORT=METRICS_PORT,
        AUTHORITY=base64.b64encode((layout.certificates / "ca.crt").read_bytes()).decode(),
    )


def apply(layout: Layout, kubectl: Kubectl) -> bool:
    """Apply the objects and say whether all were accepted: the system namespace may still be on its way."""
    return kubectl.run("apply", "--filename=-", stdin=manifests(layout)).returncode == 0
