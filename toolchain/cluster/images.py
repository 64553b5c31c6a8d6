"""What the cluster's registry must hold before any pod starts: the pause image and the base images."""

from toolchain import base_images, registry_client
from toolchain.cluster.components import Programs
from toolchain.cluster.layout import PAUSE_IMAGE, REGISTRY
from toolchain.folders import Folders


def push_pause(programs: Programs) -> None:
    """Push the image that holds a pod's namespaces open."""
    repository, _, tag = PAUSE_IMAGE.removeprefix(f"{REGISTRY}/").rpartition(":")
    pause = registry_client.single_file_image(programs.pause)
    registry_client.push(pause, registry=REGISTRY, repository=repository, tag=tag)


def push_bases(folders: Folders) -> str:
    """Push the base images that `bin/setup` has made, and say which."""
    pushed = []
    for base in base_images.BASE_IMAGES:
        if image := base_images.read(base, folders):
            registry_client.push(image, registry=REGISTRY, repository=base.repository, tag=base.tag)
            pushed.append(base.repository)
    return ", ".join(pushed) or "none made yet"
