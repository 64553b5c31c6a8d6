"""The requests that signatures take: read and write small manifests and blobs of one repository.

Protocol: OCI distribution specification 1.1 ("Pull", "Push") and the token authentication of Docker's registry. A registry on this machine
speaks HTTP, as Docker and cosign have it, any other HTTPS. Nothing is believed that does not have the digest it was asked for by.
"""

from __future__ import annotations

import hashlib
import json
import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final

from notary.credentials import Login, login_for
from notary.errors import RegistryRefused
from notary.references import Reference
from trust.errors import Altered

INDEX_TYPE: Final = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE: Final = "application/vnd.oci.image.manifest.v1+json"
_DOCKER_TYPES: Final = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_ACCEPT: Final = {"Accept": ", ".join((MANIFEST_TYPE, INDEX_TYPE, *_DOCKER_TYPES))}
_BYTES: Final = {"Content-Type": "application/octet-stream"}
_MOST_BYTES: Final = 4 << 20
"""More than any manifest may have (distribution specification, "Pushing Manifests")."""
_PATIENCE_SECONDS: Final = 30.0
_LOCAL: Final = re.compile(r"(localhost|127\.\d+\.\d+\.\d+)(:\d+)?")


def digest_of(content: bytes) -> str:
    """Return the digest as registries write it."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


@dataclass
class Repository:
    """One repository of one registry, and the token that it gave us, if any."""

    image: Reference
    """An image in it."""
    _token: str = field(default="", repr=False)

    def manifest(self, tag_or_digest: str) -> bytes | None:
        """Return a manifest; None where there is none. Raises RegistryRefused, and Altered for one of another digest."""
        content = self._read(f"manifests/{tag_or_digest}", _ACCEPT)
        if content is not None and tag_or_digest.startswith("sha256:"):
            self._check(content, tag_or_digest)
        return content

    def blob(self, digest: str) -> bytes:
        """Return a small blob. Raises RegistryRefused, and Altered where it is gone or has another digest."""
        content = self._read(f"blobs/{digest}", {})
        if content is None:
            raise Altered(f"{self.image}: expected the blob {digest}, received none; sign the image again")
        self._check(content, digest)
        return content

    def put_blob(self, content: bytes) -> None:
        """Write a blob. Raises RegistryRefused."""
        upload = self._ask("POST", f"{self._base}/blobs/uploads/", b"", _BYTES)[1]
        place = urllib.parse.urljoin(self._base, upload)
        mark = "&" if "?" in place else "?"
        self._ask("PUT", f"{place}{mark}digest={digest_of(content)}", content, _BYTES)

    def put_manifest(self, tag: str, content: bytes) -> None:
        """Write a manifest under a tag, over what was there. Raises RegistryRefused."""
        self._ask("PUT", f"{self._base}/manifests/{tag}", content, {"Content-Type": MANIFEST_TYPE})

    @property
    def _base(self) -> str:
        scheme = "http" if _LOCAL.fullmatch(self.image.registry) else "https"
        return f"{scheme}://{self.image.registry}/v2/{self.image.repository}"

    def _check(self, content: bytes, digest: str) -> None:
        if digest_of(content) != digest:
            raise Altered(
                f"{self.image}: expected content of the digest {digest}, received {digest_of(content)}; the registry serves something else "
                "than was pushed, so build and push the image again, and find out who changed it"
            )

    def _read(self, path: str, headers: dict[str, str]) -> bytes | None:
        try:
            return self._ask("GET", f"{self._base}/{path}", None, headers)[0]
        except _Missing:
            return None

    def _ask(self, method: str, url: str, body: bytes | None, headers: dict[str, str]) -> tuple[bytes, str]:
        """Return the body and the `Location` of an answer, logging in where the registry asks for it."""
        for attempt in ("with what we have", "logged in"):
            request = urllib.request.Request(url, data=body, method=method, headers=headers)
            if self._token:
                # Unredirected: storage that a registry sends us to is told nothing of our login.
                request.add_unredirected_header("Authorization", self._token)
            try:
                with _opener(url).open(request, timeout=_PATIENCE_SECONDS) as response:
                    return _limited(response.read(_MOST_BYTES + 1), url), response.headers.get("Location", "")
            except urllib.error.HTTPError as error:
                if error.code == 401 and attempt == "with what we have":
                    self._token = self._log_in(error.headers.get("WWW-Authenticate", ""))
                    continue
                if error.code == 404:
                    raise _Missing(_refusal(method, url, error)) from error
                raise RegistryRefused(_refusal(method, url, error)) from error
            except (OSError, HTTPException) as error:
                raise RegistryRefused(_refusal(method, url, error)) from error
        raise RegistryRefused(
            f"{method} {url}: expected to be let in, received a refusal; see `docker login`"
        )

    def _log_in(self, challenge: str) -> str:
        login = login_for(self.image.registry)
        kind, _, rest = challenge.partition(" ")
        if kind.lower() == "basic" and login:
            return login.basic()
        facts = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if kind.lower() != "bearer" or "realm" not in facts:
            raise RegistryRefused(
                f"{self.image.registry} asks for a login and there is none; run `docker login {self.image.registry}`"
            )
        return f"Bearer {_token_from(facts, login, self.image)}"


class _Missing(RegistryRefused):
    """What was asked for is not there."""


def _token_from(facts: dict[str, str], login: Login | None, image: Reference) -> str:
    realm = facts["realm"]
    if not realm.startswith("https://") and not _LOCAL.fullmatch(image.registry):
        raise RegistryRefused(
            f"expected a place for logins over HTTPS, received {realm}; ask who runs {image.registry}"
        )
    wanted = {
        "service": facts.get("service", ""),
        "scope": facts.get("scope", f"repository:{image.repository}:pull"),
    }
    if login and login.is_token:
        form = urllib.parse.urlencode(
            {**wanted, "grant_type": "refresh_token", "refresh_token": login.secret}
        )
        request = urllib.request.Request(realm, data=form.encode())
    else:
        request = urllib.request.Request(f"{realm}?{urllib.parse.urlencode(wanted)}")
        if login:
            request.add_unredirected_header("Authorization", login.basic())
    try:
        with _opener(realm).open(request, timeout=_PATIENCE_SECONDS) as response:
            answer = json.loads(_limited(response.read(_MOST_BYTES + 1), realm))
        return str(answer.get("token") or answer["access_token"])
    except (OSError, HTTPException, ValueError, KeyError, AttributeError) as error:
        raise RegistryRefused(_refusal("GET", realm, error)) from error


def _limited(content: bytes, url: str) -> bytes:
    if len(content) > _MOST_BYTES:
        raise RegistryRefused(
            f"{url}: expected at most {_MOST_BYTES} bytes, received more; this is no signature"
        )
    return content


def _opener(url: str) -> urllib.request.OpenerDirector:
    # A registry on this machine is never behind the proxy that the environment may name.
    local = _LOCAL.fullmatch(urllib.parse.urlsplit(url).netloc)
    return urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if local else []))


def _refusal(method: str, url: str, error: Exception) -> str:
    return f"{method} {url.partition('?')[0]}: expected an answer, received {error}; see whether the registry runs and lets you in"
