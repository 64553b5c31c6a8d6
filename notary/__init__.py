"""Who vouches for an image, and where it came from: signatures and provenance, kept beside it in its registry.

    errors <── references | credentials <── registry <── notes | marks <── signatures | attestations <── office <── __main__
    provenance <── checkout

Belongs here: cosign's two formats (a signed payload under the tag `sha256-….sig`, signed statements under `sha256-….att`), so that
`cosign verify` accepts what is signed here and the other way round; the few requests to a registry that this takes; and SLSA's
statement about a build. Does not belong here: files of models, which `trust` vouches for, and what happens to an image that nobody
vouches for, which whoever asks decides. It imports `trust` for keys; `components` imports it, and nobody else.
"""

from notary.checkout import materials_of
from notary.errors import RegistryRefused
from notary.office import Office
from notary.provenance import Build, Material

__all__ = ["Build", "Material", "Office", "RegistryRefused", "materials_of"]
