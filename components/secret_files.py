"""Files of Secrets that the API layer reads: named in configuration, mounted by the kubelet, never seen by the program.

A Secret is the cluster's own (made by hand, by cert-manager, by an external-secrets operator), so that no value of it is in a stack's
configuration, state, plan, log or rendered YAML. It is mounted as a folder, not by `subPath`, so that a change reaches running pods.
"""

from collections.abc import Mapping
from typing import Any, Final

from pulumi_kubernetes.core.v1 import KeyToPathArgs, SecretVolumeSourceArgs, VolumeArgs, VolumeMountArgs

FOLDER: Final = "/etc/tf-serving"
_MODE: Final = 0o440
"""For the owner, root, and the group, which is the pod's own (`fsGroup`): a pod that runs as nobody could not read 0400."""


def paths(files: Mapping[str, str]) -> dict[str, Any]:
    """Return the path of each file in the pod, by flag; `files` is `secret/key` by flag."""
    return {flag: f"{_folder(flag)}/{reference.partition('/')[2]}" for flag, reference in files.items()}


def volumes(files: Mapping[str, str]) -> list[VolumeArgs]:
    """Return one volume for each file, with that key of its Secret alone."""
    found = []
    for flag, reference in sorted(files.items()):
        secret, _, key = reference.partition("/")
        source = SecretVolumeSourceArgs(
            secret_name=secret, default_mode=_MODE, items=[KeyToPathArgs(key=key, path=key)]
        )
        found.append(VolumeArgs(name=_name(flag), secret=source))
    return found


def mounts(files: Mapping[str, str]) -> list[VolumeMountArgs]:
    """Return where each is mounted."""
    return [
        VolumeMountArgs(name=_name(flag), mount_path=_folder(flag), read_only=True) for flag in sorted(files)
    ]


def _name(flag: str) -> str:
    return flag.replace("_", "-")


def _folder(flag: str) -> str:
    return f"{FOLDER}/{_name(flag)}"
