"""How one version gets into its pods when it is no layer of the image: fetched by an init container, or mounted from a claim.

Either way a pod serves exactly the version that the preview spoke of: the fetch is by number and refuses another identity, and of a claim
only this version's folder is mounted, to read. Nothing that is published later changes a pod that runs.
"""

from dataclasses import dataclass
from typing import Final

import pulumi
from pulumi_kubernetes.core.v1 import (
    ContainerArgs,
    PersistentVolumeClaimVolumeSourceArgs,
    VolumeArgs,
    VolumeMountArgs,
)

from components.config import GpuConfig, ResourcesConfig
from components.config.delivery_section import DeliveryConfig
from components.config.training_sections import RepositoryConfig
from components.containers import (
    SCRATCH,
    container_resources,
    container_security,
    environment,
    gpu_variables,
    scratch,
)
from components.model_repository import RepositoryAccess, repository_access
from model_export.artifact import ModelArtifact

FETCH: Final = "fetch"
_VOLUME: Final = "model"
_FETCHER: Final = ResourcesConfig(cpu_millicores=250, memory_mib=512, scratch_mib=64)
"""Files pass through piece by piece: it needs little, whatever the model's size."""
_MIB: Final = 2**20


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One version on its way into a pod."""

    mode: str
    """`init-fetch` or `volume`."""
    access: RepositoryAccess
    """Where it comes from."""
    artifact: ModelArtifact
    """Which version it is."""
    base_path: str
    """Folder that the server reads version folders from."""
    fetch_image: pulumi.Input[str] = ""
    """Image with `python -m model_export`, for `init-fetch`."""

    @property
    def scratch_mib(self) -> int:
        """What the pod's disk holds of it: the version, and as much again while a broken fetch is tried anew."""
        if self.mode != "init-fetch":
            return 0
        return 64 + 2 * -(-self.artifact.manifest.size_bytes // _MIB)

    def init_containers(self) -> list[ContainerArgs]:
        """Return what must end before the server starts."""
        return [_fetch(self)] if self.mode == "init-fetch" else []

    def volumes(self) -> list[VolumeArgs]:
        """Return what the pod must bring."""
        if self.mode == "init-fetch":
            return [scratch(_VOLUME, self.scratch_mib), *self.access.volumes(is_read_only=True)]
        source = PersistentVolumeClaimVolumeSourceArgs(claim_name=self.access.claim, read_only=True)
        return [VolumeArgs(name=_VOLUME, persistent_volume_claim=source)]

    def mounts(self) -> list[VolumeMountArgs]:
        """Return where the server finds it."""
        if self.mode == "init-fetch":
            return [VolumeMountArgs(name=_VOLUME, mount_path=self.base_path, read_only=True)]
        version = str(self.artifact.version)
        return [
            VolumeMountArgs(
                name=_VOLUME,
                mount_path=f"{self.base_path}/{version}",
                # The one version: a server that saw the whole base path would load what is published next.
                sub_path=f"{self.artifact.name}/{version}",
                read_only=True,
            )
        ]


def delivery(
    config: DeliveryConfig, artifact: ModelArtifact, base_path: str, *, fetcher: pulumi.Input[str] = ""
) -> Delivery | None:
    """Return how the version comes; None where it is a layer of the image.

    `fetcher` is the image that fetches where the configuration names none.
    """
    if config.mode == "image":
        return None
    return Delivery(
        mode=config.mode,
        access=_access(config),
        artifact=artifact,
        base_path=base_path,
        fetch_image=config.fetch_image or fetcher,
    )


def _access(config: DeliveryConfig) -> RepositoryAccess:
    if config.mode == "volume":
        return RepositoryAccess(base="/", claim=config.claim)
    return repository_access(
        RepositoryConfig(
            bucket=config.bucket,
            endpoint=config.endpoint,
            region=config.region,
            credentials_secret=config.credentials_secret,
        )
    )


def _fetch(wanted: Delivery) -> ContainerArgs:
    artifact, access = wanted.artifact, wanted.access
    verb = ["python3", "-m", "model_export", "fetch", access.address(artifact.name), str(artifact.version)]
    return ContainerArgs(
        name=FETCH,
        image=wanted.fetch_image,
        image_pull_policy="IfNotPresent",
        command=[*verb, wanted.base_path, "--identity", artifact.digest],
        env=[*environment({"HOME": SCRATCH, **gpu_variables(GpuConfig())}), *access.environment()],
        resources=container_resources(_FETCHER, GpuConfig()),
        security_context=container_security(),
        termination_message_policy="FallbackToLogsOnError",
        volume_mounts=[
            VolumeMountArgs(name="tmp", mount_path=SCRATCH),
            VolumeMountArgs(name=_VOLUME, mount_path=wanted.base_path),
            *access.mounts(is_read_only=True),
        ],
    )
