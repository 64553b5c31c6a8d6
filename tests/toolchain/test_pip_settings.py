import pytest

from toolchain import pip_settings

HEAD = ["[global]", "cert = /etc/ssl/certs/ca-certificates.crt", "disable-pip-version-check = true"]


@pytest.mark.parametrize(
    ("listed", "proxy", "lines"),
    [
        ("", "", []),
        ("global.index-url='INDEX'\n", "", ["index-url = INDEX"]),
        ("global.index-url='FILE'\n:env:.index-url='ENV'\n", "", ["index-url = ENV"]),
        (":env:.index-url='ENV'\nglobal.index-url='FILE'\n", "", ["index-url = ENV"]),
        ("global.cert='/here.pem'\nglobal.find-links='/wheels'\n", "", []),
        ("", "PROXY", ["proxy = PROXY"]),
        ("global.proxy='THEIRS'\n", "PROXY", ["proxy = THEIRS"]),
    ],
    ids=[
        "none",
        "index",
        "environment last",
        "environment first",
        "paths of this machine",
        "proxy",
        "proxy of pip",
    ],
)
def test_settings_that_mean_something_in_a_container_are_carried(
    listed: str, proxy: str, lines: list[str]
) -> None:
    assert pip_settings.render(listed, proxy).splitlines() == HEAD + lines
