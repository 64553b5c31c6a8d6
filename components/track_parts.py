"""From one track of a model, and the ground it stands on, to the arguments of its parts: its server, its pod, its autoscaler.

Pure functions of plain values; `model_endpoint` declares what they describe, once for each track.
"""

from dataclasses import dataclass

import pulumi

from components import naming, plan
from components.autoscaling import AutoscalerArgs
from components.config import ClusterConfig, ServedModel
from components.delivery import delivery
from components.model_server import ModelServerArgs
from components.pod import CONTAINER, PodArgs
from components.rollout import Track
from components.takeover import takeover
from components.upstream import UpstreamArgs


@dataclass(frozen=True, kw_only=True)
class TrackParts:
    """One track with all that its parts refer to."""

    served: ServedModel
    """Section of the configuration."""
    track: Track
    """Which version, how many pods, reached by whom."""
    image: pulumi.Input[str]
    """The version on what runs it, by digest."""
    runtime: pulumi.Input[str]
    """The API layer without a model, by digest."""
    contract: pulumi.Input[str]
    """Agreed contract: pods wait for it."""
    cluster: ClusterConfig
    namespace: pulumi.Input[str]
    service_account: pulumi.Input[str]
    on_failure: pulumi.ErrorHook | None
    fetcher: pulumi.Input[str] = ""
    """What fetches versions from a repository, by digest; empty where none is built."""

    def server(self) -> ModelServerArgs:
        """Return Deployment and Service."""
        served, track = self.served, self.track
        return ModelServerArgs(
            namespace=self.namespace,
            node_address=self.cluster.node_address,
            on_failure=self.on_failure,
            lifecycle=plan.pod_lifecycle(served),
            takeover=takeover(served),
            server=track.server,
            service_selector=track.service_selector,
            replicas=track.replicas,
            is_autoscaled=track.autoscaling.enabled,
            rollout=served.rollout,
            pod=self._pod(),
        )

    def autoscaler(self, deployment_name: pulumi.Input[str]) -> AutoscalerArgs:
        """Return scaling and disruption budget of the Deployment."""
        return AutoscalerArgs(
            namespace=self.namespace,
            namespace_name=self.cluster.namespace,
            instance=self.track.instance,
            model=self.served.model.name,
            deployment_name=deployment_name,
            container=CONTAINER,
            load_seconds=self.served.model.load_seconds,
            autoscaling=self.track.autoscaling,
        )

    def _pod(self) -> PodArgs:
        served, track = self.served, self.track
        return PodArgs(
            instance=track.instance,
            model=naming.dns_label(served.model.name),
            track=track.name,
            image=self.image if served.is_in_image and not served.has_upstream else self.runtime,
            delivery=delivery(served.delivery, track.artifact, plan.base_path(served), fetcher=self.fetcher),
            upstream=self._upstream() if served.has_upstream else None,
            version=track.artifact.version,
            model_digest=pulumi.Output.from_input(self.contract).apply(lambda _: track.artifact.digest),
            service_account=self.service_account,
            settings=plan.serving_settings(served),
            load_seconds=served.model.load_seconds,
            termination_grace_seconds=plan.pod_lifecycle(served).termination_grace_seconds,
            secret_files=served.server.secret_files,
            resources=plan.gateway_resources(served),
            gpu=served.gpu,
            spread=served.rollout.spread,
            priority_class=self.cluster.priority_class,
            image_pull_secrets=self.cluster.image_pull_secrets,
        )

    def _upstream(self) -> UpstreamArgs:
        served, track = self.served, self.track
        return UpstreamArgs(
            image=self.image,
            model=served.model.name,
            base_path=plan.base_path(served),
            version=track.artifact.version,
            label=track.name,
            load_seconds=served.model.load_seconds,
            request_timeout_seconds=served.server.request_timeout_seconds,
            resources=served.resources,
            gpu=served.gpu,
            upstream=served.upstream,
        )
