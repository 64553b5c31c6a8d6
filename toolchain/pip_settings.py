"""The machine's own pip settings, for builds that run in containers of this machine.

Addresses come from pip's own configuration and environment at the moment of use; none is written in the
project. Paths of this machine (a certificate bundle, a folder of wheels) mean nothing in a container and are
left out; the bundle itself is copied by base_images.
"""

import os
import re
import subprocess
import sys

CARRIED = ("index-url", "extra-index-url", "trusted-host", "default-timeout", "timeout", "retries", "proxy")
BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def text() -> str:
    """Return the content of a pip.conf."""
    command = [sys.executable, "-m", "pip", "config", "list"]
    listed = subprocess.run(command, capture_output=True, text=True).stdout
    return render(listed, os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy") or "")


def render(listed: str, proxy: str) -> str:
    """Turn the output of `pip config list` into a pip.conf; the environment's settings win over the files'."""
    found = re.findall(r"^(global|install|:env:)\.([\w-]+)='(.*)'$", listed, flags=re.MULTILINE)
    values = {"proxy": proxy} if proxy else {}
    for section in ("global", "install", ":env:"):
        values |= {name: value for where, name, value in found if where == section and name in CARRIED}
    lines = [f"{name} = {value}" for name, value in sorted(values.items())]
    return "\n".join(["[global]", f"cert = {BUNDLE}", "disable-pip-version-check = true", *lines]) + "\n"
