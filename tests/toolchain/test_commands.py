import sys

import pytest

from toolchain import commands
from toolchain.errors import BuildFailed, UnreachableRegistry


def test_every_line_is_seen_as_it_comes_and_the_last_are_kept() -> None:
    seen: list[str] = []
    code = "print(*range(40), sep='\\n')"
    outcome = commands.stream([sys.executable, "-c", code], on_line=seen.append)
    assert outcome.code == 0
    assert seen == [str(number) for number in range(40)]
    assert outcome.lines == tuple(str(number) for number in range(25, 40))


def test_success_raises_nothing() -> None:
    commands.require(
        commands.Outcome(code=0, lines=("dial tcp: i/o timeout",)), what="x", registry="the registry"
    )


@pytest.mark.parametrize("sign", ["dial tcp 192.0.2.1:443: i/o timeout", "Could not resolve 'archive'"])
def test_a_registry_that_does_not_answer_is_named_with_what_to_do(sign: str) -> None:
    outcome = commands.Outcome(code=1, lines=("go: downloading", sign))
    with pytest.raises(
        UnreachableRegistry, match=r"needs the Go module proxy, which cannot be reached.*run the same"
    ):
        commands.require(outcome, what="building kube", registry="the Go module proxy")


def test_any_other_failure_shows_the_last_lines() -> None:
    outcome = commands.Outcome(code=2, lines=("main.go:1: undefined: x",))
    with pytest.raises(BuildFailed, match=r"(?s)building kube failed with exit code 2.*undefined: x"):
        commands.require(outcome, what="building kube", registry="the Go module proxy")


def test_only_lines_worth_keeping_are_kept_for_the_error() -> None:
    code = "print('package'); print('go: an error'); print('package')"
    outcome = commands.stream([sys.executable, "-c", code], keep=lambda line: " " in line)
    assert outcome.lines == ("go: an error",)
