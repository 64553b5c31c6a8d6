import hashlib
import json
from typing import Any

import pytest

from serving.access.policy import read_policy
from serving.errors import SettingsError


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


SHOP = {
    "name": "shop",
    "token_sha256": [digest("old"), digest("new")],
    "certificates": ["URI:spiffe://cluster/shop"],
    "models": {"mnist": ["infer"], "*": ["describe"]},
}
OPERATOR = {"name": "operator", "token_sha256": [digest("root")], "server": ["observe"]}


def read(*identities: Any) -> Any:
    return read_policy(json.dumps({"identities": identities}), source="FILE")


@pytest.mark.parametrize(
    ("verb", "model", "allowed"),
    [
        ("infer", "mnist", True),
        ("infer", "other", False),
        ("describe", "mnist", True),
        ("describe", "other", True),
        ("infer", "", False),
        ("infer", "*", False),
        ("observe", "", False),
        ("reload", "", False),
    ],
)
def test_an_identity_may_what_is_written_and_nothing_else(verb: str, model: str, allowed: bool) -> None:
    found = read(SHOP, OPERATOR).of_token("new")
    assert found.name == "shop"
    assert found.may(verb, model) is allowed


def test_a_verb_about_the_server_is_not_granted_by_every_model() -> None:
    everything = OPERATOR | {"models": {"*": ["infer", "describe"]}, "server": []}
    assert not read(everything).of_token("root").may("reload", "")


@pytest.mark.parametrize(
    ("token", "name"),
    [("old", "shop"), ("new", "shop"), ("root", "operator"), ("nope", None), ("", None), ("ü", None)],
)
def test_a_token_belongs_to_one_identity(token: str, name: str | None) -> None:
    found = read(SHOP, OPERATOR).of_token(token)
    assert (found.name if found else None) == name


@pytest.mark.parametrize(
    ("names", "name"),
    [
        (["URI:spiffe://cluster/shop"], "shop"),
        (["DNS:elsewhere", "URI:spiffe://cluster/shop"], "shop"),
        (["URI:spiffe://cluster/shop/more"], None),
        (["CN:shop"], None),
        ([], None),
    ],
)
def test_a_certificate_belongs_to_one_identity(names: list[str], name: str | None) -> None:
    found = read(SHOP, OPERATOR).of_certificate(names)
    assert (found.name if found else None) == name


def test_a_certificate_with_the_names_of_two_identities_is_nobodys() -> None:
    other = OPERATOR | {"certificates": ["DNS:b"]}
    assert read(SHOP, other).of_certificate(["URI:spiffe://cluster/shop", "DNS:b"]) is None


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("", "expected an access file as JSON in FILE", id="empty"),
        pytest.param("[]", 'expected {"identities": [...]} in FILE', id="no object"),
        pytest.param(
            '{"identities": [], "x": 1}', 'expected {"identities": [...]} in FILE', id="another key"
        ),
        pytest.param('{"identities": {}}', "identities must be a list", id="no list"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_policy(text, source="FILE")
    assert complaint in str(caught.value)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        pytest.param({"name": "a b"}, "expected a name of letters", id="name"),
        pytest.param({"name": 1}, "expected a name of letters", id="no text"),
        pytest.param({"modles": {}}, "expected an object with some of certificates, models", id="typo"),
        pytest.param({"token_sha256": ["secret"]}, "token_sha256 as hexadecimal", id="a token in clear"),
        pytest.param({"token_sha256": "a" * 64}, "token_sha256 as hexadecimal", id="no list"),
        pytest.param({"certificates": ["shop"]}, "URI:..., DNS:... or CN:...", id="certificate"),
        pytest.param({"token_sha256": [], "certificates": []}, "got neither", id="nothing to show"),
        pytest.param({"models": {"mnist": ["predict"]}}, "some of describe, infer", id="verb"),
        pytest.param({"models": {"mnist": "infer"}}, "some of describe, infer", id="verbs as text"),
        pytest.param({"models": []}, "expected models as", id="models"),
        pytest.param({"server": ["infer"]}, "some of observe, reload", id="server's verb"),
    ],
)
def test_a_wrong_identity_is_one_sentence_that_quotes_no_secret(change: Any, complaint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read(OPERATOR, SHOP | change)
    assert complaint in str(caught.value)
    assert "identity 2" in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [{"name": "shop"}, {"token_sha256": [digest("new")]}, {"certificates": ["URI:spiffe://cluster/shop"]}],
    ids=["name", "token", "certificate"],
)
def test_what_must_tell_identities_apart_is_there_once(change: Any) -> None:
    with pytest.raises(SettingsError, match="once, got one twice"):
        read(SHOP, OPERATOR | change)
