import pytest

from serving.http2.requests import MalformedHead, check_trailers, read_head, read_or_refuse
from tests.serving.http2.peer import CALL_FIELDS, replaced


def encoded(fields: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]


def test_a_call_is_read() -> None:
    head = read_head(
        encoded([*CALL_FIELDS, ("grpc-timeout", "250m"), ("x-tenant", "blue"), ("x-key-bin", "AP8")])
    )
    assert (head.path, head.timeout_seconds, head.refusal) == ("/test.Echo/Say", 0.25, None)
    assert head.metadata == {"x-tenant": "blue"}
    assert head.binary_metadata == {"x-key-bin": b"\0\xff"}


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1H", 3600.0),
        ("2M", 120.0),
        ("3S", 3.0),
        ("4m", 0.004),
        ("5u", 5e-6),
        ("6n", 6e-9),
        ("99999999S", 99999999.0),
    ],
)
def test_a_timeout_is_read_in_its_unit(text: str, seconds: float) -> None:
    assert read_head(encoded(replaced(grpc_timeout=text))).timeout_seconds == pytest.approx(
        seconds, rel=1e-12
    )


@pytest.mark.parametrize("text", ["", "1", "S", "1s", "-1S", "1.5S", "123456789S", "1 S"])
def test_a_timeout_of_another_form_is_refused(text: str) -> None:
    head = read_head(encoded(replaced(grpc_timeout=text)))
    assert head.refusal is not None
    assert head.timeout_seconds is None


@pytest.mark.parametrize(
    "content_type", ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"]
)
def test_every_form_of_grpc_s_content_type_is_taken(content_type: str) -> None:
    assert read_head(encoded(replaced(content_type=content_type))).refusal is None


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        pytest.param({"content_type": "application/json"}, b"415", id="other content"),
        pytest.param({"content_type": "application/grpc-web"}, b"415", id="grpc-web"),
        pytest.param({"content_type": None}, b"415", id="no content type"),
        pytest.param({"_method": "GET"}, b"405", id="GET"),
    ],
)
def test_what_is_no_grpc_is_refused_with_an_http_status(
    changes: dict[str, str | None], status: bytes
) -> None:
    refusal = read_head(encoded(replaced(**changes))).refusal
    assert refusal is not None
    assert status in refusal.block
    assert refusal.text


def test_a_call_that_lost_its_te_is_refused_as_a_call() -> None:
    refusal = read_head(encoded(replaced(te=None))).refusal
    assert refusal is not None
    assert b"te: trailers" in refusal.block


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(replaced(_method=None), id="no method"),
        pytest.param(replaced(_scheme=None), id="no scheme"),
        pytest.param(replaced(_path=None), id="no path"),
        pytest.param(replaced(_path=""), id="empty path"),
        pytest.param([*CALL_FIELDS, (":path", "/again")], id="pseudo-header behind fields"),
        pytest.param([CALL_FIELDS[0], *CALL_FIELDS], id="method twice"),
        pytest.param([(":status", "200"), *CALL_FIELDS], id="pseudo-header of responses"),
        pytest.param([*CALL_FIELDS, ("X-Upper", "1")], id="upper case"),
        pytest.param([*CALL_FIELDS, ("x space", "1")], id="space in a name"),
        pytest.param([*CALL_FIELDS, ("", "1")], id="no name"),
        pytest.param([*CALL_FIELDS, ("connection", "close")], id="connection"),
        pytest.param([*CALL_FIELDS, ("transfer-encoding", "chunked")], id="transfer-encoding"),
        pytest.param(replaced(te="gzip"), id="te"),
        pytest.param([*CALL_FIELDS, ("x-a", "1\r\nx-b: 2")], id="line break in a value"),
        pytest.param([*CALL_FIELDS, ("x-a", "1\0")], id="NUL in a value"),
        pytest.param([*CALL_FIELDS, ("x-a", " 1")], id="space before a value"),
        pytest.param([*CALL_FIELDS, ("x-a", "1\t")], id="tab behind a value"),
        pytest.param([*CALL_FIELDS, ("content-length", "x")], id="length is no number"),
        pytest.param([*CALL_FIELDS, ("content-length", "1"), ("content-length", "2")], id="two lengths"),
    ],
)
def test_a_malformed_request_is_refused(fields: list[tuple[str, str]]) -> None:
    with pytest.raises(MalformedHead):
        read_head(encoded(fields))


def test_trailers_with_a_pseudo_header_are_malformed() -> None:
    check_trailers([(b"x-checksum", b"1")])
    with pytest.raises(MalformedHead):
        check_trailers([(b":path", b"/")])


def test_a_name_that_comes_twice_is_one_value() -> None:
    head = read_head(encoded([*CALL_FIELDS, ("x-a", "1"), ("x-a", "2")]))
    assert head.metadata["x-a"] == "1,2"


def test_binary_metadata_that_is_no_base64_is_left_out() -> None:
    assert read_head(encoded([*CALL_FIELDS, ("x-bin", "!!")])).binary_metadata == {}


def test_a_head_over_its_limit_is_refused() -> None:
    assert read_or_refuse(1000)(None).refusal is not None
    assert read_or_refuse(1000)(encoded(list(CALL_FIELDS))).refusal is None
