"""An API server that is slow, refuses or hangs up: the update ends well or in words, and makes nothing twice (F20)."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import ROOT, kubectl, run
from tests.e2e.setbacks.conftest import NAMESPACE, pods, served_by
from tests.e2e.setbacks.fault_proxy import FAULTS, HUNG_UP
from tests.e2e.setbacks.interruptions import other_timeout, request_timeout_seconds
from tests.e2e.settings import changed, up

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

MADE = "deployments,services,poddisruptionbudgets,networkpolicies,serviceaccounts"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the API server, or the proxy in its place, said to one request."""

    method: str
    status: int
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """One that stands before the API server."""

    kubeconfig: Path
    log: Path

    def answers(self) -> list[Answer]:
        """Return what came of all that it was asked so far."""
        words = (line.split() for line in self.log.read_text().splitlines())
        return [
            Answer(method=method, status=int(status), seconds=float(seconds))
            for method, status, seconds, _ in words
        ]


def late(answers: list[Answer]) -> bool:
    return all(each.seconds >= FAULTS["slow"].delay_seconds for each in answers)


def refused_for_a_while(answers: list[Answer]) -> bool:
    return any(each.status == FAULTS["too many requests"].status for each in answers)


def cut_off(answers: list[Answer]) -> bool:
    return any(each.status == HUNG_UP for each in answers)


@pytest.mark.parametrize(
    ("fault", "troubled_as_meant", "timeout_seconds"),
    [("slow", late, 6), ("too many requests", refused_for_a_while, 7), ("closed watches", cut_off, 8)],
)
def test_an_update_through_a_troubled_api_server_ends_well(
    stack_to_mend: str,
    tmp_path: Path,
    fault: str,
    troubled_as_meant: Callable[[list[Answer]], bool],
    timeout_seconds: int,
) -> None:
    before = uids()
    with proxy(fault, tmp_path) as troubled, through(troubled, timeout_seconds, stack_to_mend):
        up(stack_to_mend)
        answers = troubled.answers()
    assert served_by() == 1
    assert request_timeout_seconds() == timeout_seconds
    assert len(pods()) == 1
    assert uids() == before
    assert "PATCH" in {each.method for each in answers}
    assert troubled_as_meant(answers)
    assert "DELETE" not in {each.method for each in answers}


def test_an_update_that_an_api_server_refuses_says_so_and_the_next_one_ends_it(
    stack_to_mend: str, tmp_path: Path
) -> None:
    before = uids()
    with proxy("unavailable", tmp_path) as troubled, through(troubled, 9, stack_to_mend):
        said = up(stack_to_mend, check=False)
        answers = troubled.answers()
    assert said.returncode != 0
    assert "the fault proxy refuses" in said.stdout + said.stderr
    assert ("PATCH", 503) in {(each.method, each.status) for each in answers}
    assert "DELETE" not in {each.method for each in answers}
    with changed(other_timeout(9), stack_to_mend):
        up(stack_to_mend)
    assert served_by() == 1
    assert request_timeout_seconds() == 9
    assert uids() == before


@contextmanager
def proxy(fault: str, folder: Path) -> Iterator[Proxy]:
    """Start a proxy with this fault, in a process of its own, and write a kubeconfig that leads to it."""
    direct = Path(json.loads(run("bin/cluster", "status", "--json").stdout.splitlines()[-1])["kubeconfig"])
    made = Proxy(kubeconfig=folder / "kubeconfig.json", log=folder / "requests.log")
    words = [f"--fault={fault}", f"--kubeconfig={direct}", f"--log={made.log}"]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.setbacks.fault_proxy", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout
            settings = json.loads(direct.read_text())
            settings["clusters"][0]["cluster"] = {
                "server": f"http://127.0.0.1:{int(process.stdout.readline())}"
            }
            settings["users"][0]["user"] = {}
            made.kubeconfig.write_text(json.dumps(settings))
            yield made
        finally:
            process.kill()


@contextmanager
def through(troubled: Proxy, timeout_seconds: int, stack: str) -> Iterator[None]:
    """Reach the stack's cluster through a proxy, and ask for another pod."""

    def change(sections: dict[str, Any]) -> None:
        other_timeout(timeout_seconds)(sections)
        sections["cluster"]["kubeconfig"] = str(troubled.kubeconfig)

    with changed(change, stack):
        yield


def uids() -> dict[str, str]:
    """Return what was made of each object of the stack, by kind and name."""
    found = kubectl("get", MADE, namespace=NAMESPACE)["items"]
    return {f"{each['kind']}/{each['metadata']['name']}": each["metadata"]["uid"] for each in found}
