"""The console is closed unless asked for, and never a port of the Service that clients use."""

from typing import Any

import pytest

from tests.components.reachability import reaches
from tests.components.test_exposure import MNIST, OUTSIDE, SHOP
from tests.components.test_platform import deploy

CONSOLE = 8503
OPEN = {"server": {"console": True, "consoleNodePort": 30_853}}
INSIDE = {"server": {"console": True}}


def environment(deployed: Any) -> dict[str, str]:
    container = deployed.one("Deployment").inputs["spec"]["template"]["spec"]["containers"][0]
    return {each["name"]: each.get("value", "") for each in container["env"]}


@pytest.mark.parametrize(
    ("sections", "port", "reached"),
    [({}, None, False), (INSIDE, "8503", False), (OPEN, "8503", True)],
    ids=["off", "inside the pod", "with a node port"],
)
def test_the_port_is_open_and_reached_only_as_asked(sections, port, reached):
    deployed = deploy(**sections)
    policies = [each.inputs for each in deployed.all("NetworkPolicy")]
    assert environment(deployed).get("TFSP_CONSOLE_PORT") == port
    for place in (OUTSIDE, SHOP):
        assert reaches(place, MNIST, CONSOLE, policies) is reached


def test_the_clients_service_never_has_the_consoles_port():
    services = {
        each.inputs["metadata"]["name"]: each.inputs["spec"] for each in deploy(**OPEN).all("Service")
    }
    assert {port["name"] for port in services["mnist"]["ports"]} == {"grpc", "rest"}
    (port,) = services["mnist-console"]["ports"]
    assert (port["targetPort"], port["nodePort"]) == (CONSOLE, 30_853)


def test_its_address_is_an_output_only_where_there_is_one():
    assert "console_url" not in deploy(**INSIDE).outputs
    opened = deploy(cluster={"nodeAddress": "192.0.2.1"}, **OPEN)
    assert opened.outputs["console_url"] == "http://192.0.2.1:30853"
