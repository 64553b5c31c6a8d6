"""Signatures over a version folder: who vouches for every byte of a model, and for its name and version.

    errors <── statement <── bundle <── verification | signing

Belongs here: the OpenSSF Model Signing format (a Sigstore bundle with an in-toto statement, signed with an elliptic curve key), so
that `model_signing verify key` accepts what is signed here, and the other way round. Does not belong here: where keys come from, and
what happens to a model that nobody vouches for; that is said by whoever asks: the exporter's verbs, the Pulumi program before it
deploys, the server before it loads. A leaf: it imports the standard library and `cryptography`, and all three may import it.
"""

from trust.errors import TrustError, UnreadableKey
from trust.signing import sign
from trust.statement import SIGNATURE_NAME
from trust.verification import Vouched, read_keys, verify

__all__ = ["SIGNATURE_NAME", "TrustError", "UnreadableKey", "Vouched", "read_keys", "sign", "verify"]
