"""Where things are kept outside the checkout: one folder per life span, by the XDG rules.

The cache can be deleted at any time and is rebuilt; the data folder holds what a user would miss (the
local Pulumi state and its passphrase); the state folder is the running cluster, gone after `down`.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PRODUCT = "tf-serving-platform"
CHECKOUT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True)
class Folders:
    """The three folders of this user."""

    cache: Path
    """Built binaries, virtual environments, base image archives, Pulumi plugins."""
    data: Path
    """Local Pulumi backend and passphrase."""
    state: Path
    """The local cluster; removed by `bin/cluster down`."""

    @property
    def binaries(self) -> Path:
        """One folder a binary, named by what it was built from."""
        return self.cache / "toolchain"

    @property
    def build(self) -> Path:
        """Go's module and build caches while a build is under way: up to 25 GB."""
        return self.cache / "build"

    @property
    def cluster(self) -> Path:
        """Everything the running cluster owns on disk."""
        return self.state / "cluster"

    @property
    def pulumi_home(self) -> Path:
        """PULUMI_HOME of a CLI that was built here: plugins and the workspace cache."""
        return self.cache / "pulumi-home"


def locate(environment: Mapping[str, str] | None = None) -> Folders:
    """Resolve the folders from XDG_CACHE_HOME, XDG_DATA_HOME, XDG_STATE_HOME, with their standard defaults."""
    env = os.environ if environment is None else environment
    home = Path(env.get("HOME") or Path.home())

    def folder(variable: str, default: str) -> Path:
        return Path(env.get(variable) or home / default) / PRODUCT

    return Folders(
        cache=folder("XDG_CACHE_HOME", ".cache"),
        data=folder("XDG_DATA_HOME", ".local/share"),
        state=folder("XDG_STATE_HOME", ".local/state"),
    )
