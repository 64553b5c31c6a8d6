"""ServingPlatform: a namespace, an identity, the runtime images, and an endpoint for each model of the stack."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes.core.v1 import Namespace, ResourceQuota, ResourceQuotaSpecArgs, ServiceAccount
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components import naming, plan
from components.compatibility import check_compatibility
from components.config import ClusterConfig, PlatformConfig, ServedModel
from components.contracts import deployed_models
from components.diagnosis import failure_hook
from components.errors import config_error
from components.exposure import default_deny
from components.forecast import check_memory
from components.images import FetchImage, FetchImageArgs, RuntimeImage, RuntimeImageArgs, pushed_image
from components.model_endpoint import ModelEndpoint, ModelEndpointArgs
from components.overrides import overriding
from components.ownership import only_if_ours, owner_annotation
from components.quota import check_quota, quota
from components.rollout import check_canary
from components.vouching import vouched_image
from model_export.artifact import ModelArtifact


@dataclass(frozen=True, kw_only=True)
class ServingPlatformArgs:
    """What a stack serves, and where."""

    config: PlatformConfig
    """Validated configuration."""
    artifacts: Mapping[str, ModelArtifact]
    """Servable of each model, by the model's name."""
    contracts: Mapping[str, pulumi.Input[str]]
    """Contract of each model as JSON, once agreed; see `components.contracts`."""
    candidates: Mapping[str, ModelArtifact] = field(default_factory=dict)
    """Servable of each model's canary, for those that have one, once judged; see `components.rollout_gate`."""

    def __post_init__(self) -> None:
        # Here and not in the constructor: a pod that cannot live is refused before the first resource is declared.
        check_compatibility(self.config)
        check_quota(self.config)
        for served in self.config.served:
            artifact, candidate = self.artifacts[served.model.name], self.candidates.get(served.model.name)
            pushed_image(served.model, artifact)
            check_memory(served, model_bytes=artifact.manifest.size_bytes)
            if candidate:
                check_canary(served, artifact, candidate)
                check_memory(served, model_bytes=candidate.manifest.size_bytes)


class ServingPlatform(pulumi.ComponentResource):
    """Everything of one stack, in a namespace of its own."""

    namespace: pulumi.Output[str]
    """Name of the namespace."""
    service_account: pulumi.Output[str]
    """Name of the account that every pod runs under; it has no rights."""
    runtimes: Mapping[str, pulumi.Output[str]]
    """Runtime image by accelerator, `cpu` or `gpu`."""
    endpoints: Mapping[str, ModelEndpoint]
    """Endpoint by model name."""

    def __init__(
        self, name: str, args: ServingPlatformArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("tfserving:platform:ServingPlatform", name, None, _with_overrides(args.config, opts))
        child = pulumi.ResourceOptions(parent=self)
        self.namespace, self.service_account = _ground(name, args.config, child)
        _limit(name, self.namespace, args.config, child)
        self.runtimes = {
            kind: _runtime(name, kind, args.config, child)
            for kind in _accelerators(args.config, needing=lambda served: served.needs_runtime)
        }
        self._fetchers = {
            kind: self._fetcher(name, kind, args.config)
            for kind in _accelerators(args.config, needing=lambda served: served.needs_fetcher)
        }
        if any(served.exposure.network_policies for served in args.config.served):
            default_deny(name, self.namespace, child)
        self._on_failure = failure_hook(args.config.cluster)
        self._deployed = deployed_models()
        self.endpoints = {
            served.model.name: ModelEndpoint(
                f"{name}-{naming.dns_label(served.model.name)}", self._endpoint_args(served, args), child
            )
            for served in args.config.served
        }
        self.register_outputs(self.facts())

    def facts(self) -> dict[str, pulumi.Input[Any]]:
        """Return what a stack exports: every model's facts under `models`, and those of an only model by themselves as well."""
        models = {model: endpoint.facts for model, endpoint in self.endpoints.items()}
        only = next(iter(models.values())) if len(models) == 1 else {}
        return {**only, "namespace": self.namespace, "runtime_images": self.runtimes, "models": models}

    def _fetcher(self, name: str, kind: str, config: PlatformConfig) -> pulumi.Output[str]:
        args = FetchImageArgs(
            images=config.images,
            runtime=self.runtimes[kind],
            accelerator=kind,
            secrets=config.build_secrets,
            office=config.office,
        )
        return FetchImage(f"{name}-{kind}-fetch", args, pulumi.ResourceOptions(parent=self)).ref

    def _endpoint_args(self, served: ServedModel, args: ServingPlatformArgs) -> ModelEndpointArgs:
        kind = plan.accelerator(served, args.config.images)
        return ModelEndpointArgs(
            served=served,
            artifact=args.artifacts[served.model.name],
            contract=args.contracts[served.model.name],
            candidate=args.candidates.get(served.model.name),
            images=args.config.images,
            office=args.config.office,
            cluster=args.config.cluster,
            prices=args.config.prices,
            runtime=self.runtimes[kind] if served.needs_runtime else served.model.pushed_image,
            fetcher=self._fetchers.get(kind, ""),
            deployed=self._deployed,
            namespace=self.namespace,
            service_account=self.service_account,
            on_failure=self._on_failure,
        )


def cluster_provider(cluster: ClusterConfig) -> kubernetes.Provider:
    """Return the provider of the stack's cluster: explicit, so that a stack never lands where a shell happens to point.

    A preview reaches no cluster for what it creates, so it works with an unknown or unreachable one. Without an identifier the provider
    takes another address of the API server for another cluster, and makes every object of the stack anew.

    Raises ConfigError in an update whose kubeconfig is not there.
    """
    _look_for(cluster.kubeconfig)
    return kubernetes.Provider(
        "cluster",
        kubeconfig=cluster.kubeconfig or None,
        context=cluster.context or None,
        cluster_identifier=cluster.identifier or None,
    )


def _look_for(kubeconfig: str) -> None:
    if not kubeconfig or Path(kubeconfig).expanduser().is_file():
        return
    # The provider takes what is no file for the content of one, and complains of its JSON. What may be a content is not shown.
    received = kubeconfig if re.fullmatch(r"[^\s:{}]+", kubeconfig) else "what is no path"
    missing = config_error("cluster.kubeconfig", "the path of a file that is there", received)
    if not pulumi.runtime.is_dry_run():
        raise missing
    pulumi.log.warn(f"{missing}; a preview goes without")


def _with_overrides(
    config: PlatformConfig, opts: pulumi.ResourceOptions | None
) -> pulumi.ResourceOptions | None:
    # Children inherit it: one transform sees every object of the platform.
    if not config.overrides.objects:
        return opts
    return pulumi.ResourceOptions.merge(
        opts, pulumi.ResourceOptions(transforms=[overriding(config.overrides.objects)])
    )


def _ground(
    name: str, config: PlatformConfig, child: pulumi.ResourceOptions
) -> tuple[pulumi.Output[str], pulumi.Output[str]]:
    cluster = config.cluster
    labels = {**naming.shared_labels(), **naming.restricted_profile(cluster.pod_security_version)}
    # A namespace is gone when its last pod is: as long as the longest request of any model may take.
    patience = pulumi.CustomTimeouts(
        delete=f"{max(plan.pod_lifecycle(each).deletion_seconds for each in config.served)}s"
    )
    namespace = Namespace(
        f"{name}-namespace",
        metadata=ObjectMetaArgs(name=cluster.namespace, labels=labels, annotations=owner_annotation()),
        opts=pulumi.ResourceOptions.merge(
            child, pulumi.ResourceOptions(custom_timeouts=patience, hooks=only_if_ours(cluster))
        ),
    )
    namespace_name = namespace.metadata.apply(_name)
    metadata = ObjectMetaArgs(
        name=naming.APPLICATION, namespace=namespace_name, labels=naming.shared_labels()
    )
    account = ServiceAccount(
        f"{name}-account", metadata=metadata, automount_service_account_token=False, opts=child
    )
    return namespace_name, account.metadata.apply(_name)


def _limit(
    name: str, namespace: pulumi.Input[str], config: PlatformConfig, child: pulumi.ResourceOptions
) -> None:
    hard = quota(config)
    if hard:
        metadata = ObjectMetaArgs(name=naming.APPLICATION, namespace=namespace, labels=naming.shared_labels())
        ResourceQuota(f"{name}-quota", metadata=metadata, spec=ResourceQuotaSpecArgs(hard=hard), opts=child)


def _accelerators(config: PlatformConfig, *, needing: Callable[[ServedModel], bool]) -> list[str]:
    return sorted({plan.accelerator(served, config.images) for served in config.served if needing(served)})


def _runtime(
    name: str, kind: str, config: PlatformConfig, child: pulumi.ResourceOptions
) -> pulumi.Output[str]:
    if pushed := config.images.pushed_runtimes.get(kind):
        return vouched_image(str(pushed), config.office)
    args = RuntimeImageArgs(
        images=config.images, accelerator=kind, secrets=config.build_secrets, office=config.office
    )
    return RuntimeImage(f"{name}-{kind}", args, child).ref


def _name(metadata: kubernetes.meta.v1.outputs.ObjectMeta) -> str:
    return metadata.name or ""
