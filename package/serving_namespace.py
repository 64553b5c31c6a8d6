"""ServingNamespace: a namespace that is closed and restricted, to put models into."""

from typing import NotRequired, TypedDict

import pulumi
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components import naming
from components.exposure import default_deny
from package.refusals import said_plainly


class ServingNamespaceArgs(TypedDict):
    """A namespace of a stack's own."""

    namespace: str
    """Name of the namespace, which is made."""
    pod_security_version: NotRequired[str]
    """Kubernetes minor version whose restricted Pod Security profile is enforced, such as v1.34."""


class ServingNamespace(pulumi.ComponentResource):
    """A namespace with the restricted profile, and a NetworkPolicy that denies what no model opens."""

    name: pulumi.Output[str]
    """Name of the namespace."""

    @said_plainly
    def __init__(
        self, name: str, args: ServingNamespaceArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("tf-serving:index:ServingNamespace", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        version = args.get("pod_security_version", "v1.31")
        labels = {**naming.shared_labels(), **naming.restricted_profile(version)}
        namespace = Namespace(
            f"{name}-namespace", metadata=ObjectMetaArgs(name=args["namespace"], labels=labels), opts=child
        )
        self.name = namespace.metadata.apply(lambda made: made.name or "")
        default_deny(name, self.name, child)
        self.register_outputs({"name": self.name})
