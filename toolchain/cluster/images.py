"""What the cluster's registry must hold before any pod starts: the pause image, and base images once made."""

from toolchain import registry_client
from toolchain.cluster.components import Programs
from toolchain.cluster.layout import PAUSE_IMAGE, REGISTRY


def push_missing(programs: Programs) -> str:
    """Push what is missing and say what is there."""
    repository, _, tag = PAUSE_IMAGE.removeprefix(f"{REGISTRY}/").rpartition(":")
    pause = registry_client.single_file_image(programs.pause)
    registry_client.push(pause, registry=REGISTRY, repository=repository, tag=tag)
    return "pause"
