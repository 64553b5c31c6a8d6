"""A stack behind a real Gateway, Traefik: requests reach the model over both routes, and a canary gets its share of them."""

import json
import sys
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import grpc
import numpy as np
import pytest

from serving.protos import get_model_status_pb2
from tests.by_hand.ecosystem.controllers import controller, defined, made, wait_until
from tests.e2e.commands import ROOT, kubectl, run
from tests.e2e.settings import another_stack, changed, up
from tests.serving.processes import free_port

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1800)]

STACK: Final = "gateway"
NAMESPACE: Final = f"tf-serving-{STACK}"
GATEWAYS: Final = "gateways-by-hand"
HOST: Final = "mnist.example.com"
STABLE, CANARY = "1000", "1200"
REQUESTS: Final = 1_000
MARGIN: Final = 0.07
"""Five standard deviations of a share of 1000 requests, at most: sqrt(0.2 * 0.8 / 1000) is 0.013."""


@dataclass(frozen=True, kw_only=True)
class Door:
    """Where clients from outside the cluster come in."""

    port: int

    def ask(self, path: str, body: bytes | None = None, host: str = HOST) -> tuple[int, bytes]:
        question = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, {"Host": host})
        try:
            with urllib.request.urlopen(question, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def channel(self, host: str = HOST) -> grpc.Channel:
        options = [("grpc.default_authority", host), ("grpc.enable_http_proxy", 0)]
        return grpc.insecure_channel(f"127.0.0.1:{self.port}", options)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """Yield the door of a stack with a canary at 20 percent."""
    run("bin/up")
    folder = tmp_path_factory.mktemp("gateway")
    run(sys.executable, "examples/mnist/train.py", f"--output-dir={folder / 'mnist'}", f"--steps={CANARY}")
    door = Door(port=free_port())

    def behind_the_gateway(sections: dict[str, Any]) -> None:
        sections["model"]["loadSeconds"] = 30
        sections["autoscaling"] = {"enabled": False}
        sections["canary"] = {"source": str(folder / "mnist"), "weightPercent": 20}
        sections["exposure"] = {"gateway": f"{GATEWAYS}/public", "host": HOST}

    flags = (
        f"--entrypoints.web.address=127.0.0.1:{door.port}",
        "--providers.kubernetesgateway=true",
        f"--providers.kubernetesgateway.namespaces={GATEWAYS},{NAMESPACE}",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
    )
    with (
        defined("gateway-api"),
        made(folder, *gateway(door.port)),
        controller("traefik", folder / "traefik.log", *flags),
        another_stack(STACK, behind_the_gateway) as name,
    ):
        up(name)
        wait_until(
            lambda: door.ask("/v1/models/mnist")[0] == 200, (folder / "traefik.log").read_text()[-3000:]
        )
        yield door


def gateway(port: int) -> tuple[dict[str, Any], ...]:
    api = "gateway.networking.k8s.io/v1"
    listener = {
        "name": "web",
        "protocol": "HTTP",
        "port": port,
        "allowedRoutes": {"namespaces": {"from": "All"}},
    }
    return (
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": GATEWAYS}},
        {
            "apiVersion": api,
            "kind": "GatewayClass",
            "metadata": {"name": "traefik-by-hand"},
            "spec": {"controllerName": "traefik.io/gateway-controller"},
        },
        {
            "apiVersion": api,
            "kind": "Gateway",
            "metadata": {"name": "public", "namespace": GATEWAYS},
            "spec": {"gatewayClassName": "traefik-by-hand", "listeners": [listener]},
        },
    )


def test_the_gateway_accepts_both_routes(door: Door) -> None:
    for kind in ("httproute", "grpcroute"):
        (parent,) = kubectl("get", kind, "mnist", namespace=NAMESPACE)["status"]["parents"]
        assert {each["type"]: each["status"] for each in parent["conditions"]} == {
            "Accepted": "True",
            "ResolvedRefs": "True",
        }


def test_a_question_through_the_gateway_is_answered_by_the_model(door: Door) -> None:
    with np.load(ROOT / "build/mnist/heldout.npz", allow_pickle=False) as held_out:
        images, labels = held_out["images"][:100], held_out["labels"][:100]
    status, answer = door.ask("/v1/models/mnist:predict", json.dumps({"instances": images.tolist()}).encode())
    assert status == 200
    chosen = np.array(json.loads(answer)["predictions"]).argmax(axis=1)
    assert (chosen != labels).mean() <= 0.2


@pytest.mark.parametrize(
    ("path", "host"),
    [("/metrics", HOST), ("/v1/models/another", HOST), ("/v1/models/mnist", "other.example.com")],
    ids=["metrics", "another model", "another host"],
)
def test_what_no_route_names_stays_inside(door: Door, path: str, host: str) -> None:
    assert door.ask(path, host=host)[0] == 404


def test_reflection_stays_inside(door: Door) -> None:
    with door.channel() as channel:
        listing = channel.unary_unary("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo")
        with pytest.raises(grpc.RpcError) as refused:
            listing(b"", timeout=30)
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED  # what HTTP's 404 is in gRPC


def test_a_canary_gets_its_share_over_both_routes_and_more_when_it_is_given_more(door: Door) -> None:
    shares = {20: (share(rest(door)), share(over_grpc(door)))}

    def more(sections: dict[str, Any]) -> None:
        sections["canary"] |= {"weightPercent": 50}

    with changed(more, STACK):
        up(STACK)
        wait_until(lambda: abs(share(rest(door)) - 0.5) < MARGIN, "the new weight")
        shares[50] = (share(rest(door)), share(over_grpc(door)))
    print(f"\n{shares}")
    for percent, seen in shares.items():
        assert seen == pytest.approx((percent / 100, percent / 100), abs=MARGIN)


def test_a_gateway_that_cannot_mirror_answers_nothing_while_it_is_asked_to(door: Door) -> None:
    def copies(sections: dict[str, Any]) -> None:
        sections["canary"] |= {"shadowPercent": 100}

    with changed(copies, STACK):
        up(STACK)
        wait_until(lambda: door.ask("/v1/models/mnist")[0] == 500, "the route with a mirror")
        print(kubectl("get", "httproute", "mnist", namespace=NAMESPACE)["status"])
    up(STACK)
    wait_until(lambda: door.ask("/v1/models/mnist")[0] == 200, "the route without")


def rest(door: Door) -> Counter[str]:
    """Ask for the version over and over, and count who answered."""
    return Counter(
        json.loads(door.ask("/v1/models/mnist")[1])["model_version_status"][0]["version"]
        for _ in range(REQUESTS)
    )


def over_grpc(door: Door) -> Counter[str]:
    question = get_model_status_pb2.GetModelStatusRequest()
    question.model_spec.name = "mnist"
    with door.channel() as channel:
        ask = channel.unary_unary(
            "/tensorflow.serving.ModelService/GetModelStatus",
            request_serializer=get_model_status_pb2.GetModelStatusRequest.SerializeToString,
            response_deserializer=get_model_status_pb2.GetModelStatusResponse.FromString,
        )
        answers = [ask(question, timeout=30) for _ in range(REQUESTS)]
    return Counter(str(each.model_version_status[0].version) for each in answers)


def share(answered: Counter[str]) -> float:
    """Return the canary's part of the answers."""
    assert set(answered) <= {STABLE, CANARY}
    return answered[CANARY] / answered.total()
