"""The environment in which the project's commands run, so that every Pulumi command works at once.

Whatever the user has set stays: a backend they chose or logged in to, a passphrase, a kubeconfig, a builder.
Only what is missing is filled in, from what `bin/setup` made and what `bin/cluster` runs.
"""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path

from toolchain import binaries, pulumi_cli, virtualenvs
from toolchain.cluster.layout import Layout, choose_root
from toolchain.errors import NotSetUp
from toolchain.folders import Folders

BACKEND_VARIABLES = ("PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN")
PASSPHRASE_VARIABLES = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE")
EXPORT_PYTHON = "TF_SERVING_PLATFORM_EXPORT_PYTHON"


def variables(folders: Folders, given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables to set on top of the given environment. Raises NotSetUp before `bin/setup`."""
    if not virtualenvs.is_complete(virtualenvs.DEPLOY, folders):
        raise NotSetUp("this checkout is not set up yet, or its requirements changed; run `bin/setup` first")
    dev = virtualenvs.location(virtualenvs.DEV, folders)
    found = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    if virtualenvs.is_complete(virtualenvs.DEV, folders):
        found[EXPORT_PYTHON] = given.get(EXPORT_PYTHON, str(dev / "bin" / "python"))
    return found | _cli(folders, given) | _backend(folders, given) | _cluster(folders, given)


def uses_own_backend(given: Mapping[str, str]) -> bool:
    """Say whether the user chose a backend: by variable, or by having logged in."""
    return (
        any(given.get(name) for name in BACKEND_VARIABLES)
        or (users_home(given) / "credentials.json").exists()
    )


def users_home(given: Mapping[str, str]) -> Path:
    """Return the folder where the user's own Pulumi keeps its login."""
    return Path(given.get("PULUMI_HOME") or Path(given.get("HOME", "/")) / ".pulumi")


def local_backend(folders: Folders) -> Path:
    """Return the folder that holds the state of all stacks where the user has no backend."""
    return folders.data / "pulumi"


def exports(values: Mapping[str, str]) -> str:
    """Return the variables as lines for a shell to evaluate."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in sorted(values.items()))


def _cli(folders: Folders, given: Mapping[str, str]) -> dict[str, str]:
    # The Python host that can be built here ignores the project's `virtualenv` option: it takes the first python on PATH.
    path = [virtualenvs.location(virtualenvs.DEPLOY, folders) / "bin"]
    own = pulumi_cli.on_path(folders, given)
    verdict = pulumi_cli.remembered(own, folders) if own else None
    settings = {}
    if verdict is None or not verdict.usable:
        path.append(folders.pulumi_home / "bin")
        settings = {
            "PULUMI_HOME": str(folders.pulumi_home),
            "PULUMI_CREDENTIALS_PATH": given.get("PULUMI_CREDENTIALS_PATH") or str(_login(folders, given)),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        }
    kube = binaries.location(binaries.named("kube"), folders)
    if kube.exists():
        path.append(kube.parent)
    return settings | {"PATH": os.pathsep.join([*map(str, path), given.get("PATH", "")])}


def _login(folders: Folders, given: Mapping[str, str]) -> Path:
    # Our CLI has a home of its own for its plugins; the user's login is read where it is.
    return users_home(given) if uses_own_backend(given) else folders.pulumi_home


def _backend(folders: Folders, given: Mapping[str, str]) -> dict[str, str]:
    if uses_own_backend(given):
        return {}
    # Attributes would be files beside the state that are not replaced in one step, so a reader could meet an empty one.
    settings = {"PULUMI_BACKEND_URL": f"file://{local_backend(folders)}?metadata=skip"}
    if not any(name in given for name in PASSPHRASE_VARIABLES):
        settings["PULUMI_CONFIG_PASSPHRASE"] = ""  # stacks on this machine hold no secrets (docs/adr/0006)
    return settings


def _cluster(folders: Folders, given: Mapping[str, str]) -> dict[str, str]:
    layout = Layout(root=choose_root(folders.cluster))
    settings = {}
    if layout.kubeconfig().exists() and not given.get("KUBECONFIG"):
        settings["KUBECONFIG"] = str(layout.kubeconfig())
    if layout.buildkit_socket.exists() and not given.get("BUILDX_CONFIG"):
        settings["BUILDX_CONFIG"] = str(layout.buildx)
    return settings
