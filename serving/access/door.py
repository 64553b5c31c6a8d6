"""The one decision: may whoever sent this do that?

A sender shows a bearer token (RFC 6750) or, over mutual TLS, a certificate; a token that is shown counts alone,
so that a wrong one is noticed. Who is not known gets 401 or UNAUTHENTICATED, who is known but may not gets 403 or
PERMISSION_DENIED, whether or not there is such a model: names cannot be probed.
"""

from collections.abc import Iterable, Mapping

from serving.access.keeper import Keeper
from serving.access.policy import DESCRIBE, INFER, OBSERVE, RELOAD, Identity, Policy
from serving.calls import CALLER, TENANT_HEADER
from serving.errors import PermissionRefused, Unauthenticated

_SCHEME = "bearer "
_DEEDS = {
    INFER: 'run model "{}"',
    DESCRIBE: 'read about model "{}"',
    OBSERVE: "read the server's numbers",
    RELOAD: "change what is served",
}


class Door:
    """Asked once for every request, before anything else looks at it."""

    def __init__(self, keeper: Keeper) -> None:
        self._keeper = keeper

    @property
    def policy(self) -> Policy:
        """The policy that holds now; another one is another object."""
        return self._keeper.policy

    def identify(self, metadata: Mapping[str, str], certificate_names: Iterable[str]) -> Identity:
        """Who sent this. Raises Unauthenticated."""
        policy = self.policy
        shown = metadata.get("authorization")
        if shown is not None:
            if shown[: len(_SCHEME)].lower() != _SCHEME:
                raise Unauthenticated("expected the header authorization as `Bearer TOKEN`, got another form")
            found = policy.of_token(shown[len(_SCHEME) :].strip())
            if found is None:
                raise Unauthenticated(
                    "expected a bearer token that the server knows, got another; it may have been replaced: ask the "
                    "operator for the current one"
                )
            return found
        found = policy.of_certificate(certificate_names)
        if found is None:
            raise Unauthenticated(
                "expected a bearer token in the header authorization, or a client certificate that the server knows, "
                "got neither; ask the operator for one"
            )
        return found


def require(identity: Identity, verb: str, model: str = "") -> None:
    """Raises PermissionRefused unless `identity` may do that."""
    if not identity.may(verb, model):
        deed = _DEEDS[verb].format(model[:100])
        raise PermissionRefused(f"{identity.name} may not {deed}; ask the operator to allow it")


def sign(metadata: Mapping[str, str], identity: Identity) -> dict[str, str]:
    """The metadata of an admitted request: with its sender's name, without what it showed.

    Who is served in turn is decided by names that cannot be made up: a sender's own tenants are its own.
    """
    signed = {name: value for name, value in metadata.items() if name != "authorization"}
    tenant = signed.get(TENANT_HEADER)
    signed[CALLER] = identity.name
    signed[TENANT_HEADER] = identity.name if tenant is None else f"{identity.name}/{tenant}"
    return signed
