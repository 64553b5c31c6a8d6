"""What a Docker host is asked for: two linked containers, held as tightly as pods."""

from typing import Any

import pulumi
import pytest

from components.config import GpuConfig, ResourcesConfig
from components.docker_host import ClientArgs, DockerHost, DockerHostArgs
from components.errors import ConfigError
from serving.settings import ServingSettings
from tests.components.declared import Program, declare

IMAGE = "registry.example.com/mnist@sha256:" + "a" * 64
CLIENT = ClientArgs(image=IMAGE, command=("python3", "client.py"), variables={"TARGET": "serving:8501"})


def deploy(**changes: Any) -> Program:
    settings = ServingSettings(model_name="mnist", model_base_path="/models/mnist")
    args = DockerHostArgs(**{"model": "mnist", "image": IMAGE, "settings": settings, **changes})

    def program() -> None:
        host = DockerHost("host", args)
        for name in ("network", "container", "rest_url", "grpc_target"):
            pulumi.export(name, getattr(host, name))

    return declare(program)


def containers(**changes: Any) -> dict[str, dict[str, Any]]:
    return {each.inputs["name"]: each.inputs for each in deploy(**changes).all("Container")}


def test_server_and_client_are_linked_by_a_network_on_which_the_server_is_called_serving():
    deployed = deploy(client=CLIENT)
    network = deployed.one("Network").inputs["name"]
    server, client = (each.inputs for each in deployed.all("Container"))
    assert server["networksAdvanced"] == [{"name": network, "aliases": ["serving"]}]
    assert client["networksAdvanced"] == [{"name": network}]
    assert client["envs"] == ["TARGET=serving:8501"]


def test_without_a_client_there_is_one_container():
    assert list(containers()) == ["mnist"]


def test_ports_are_published_on_one_address_of_the_host():
    deployed = deploy(rest_port=18501, grpc_port=18500)
    (server,) = deployed.all("Container")
    assert server.inputs["ports"] == [
        {"internal": 8501, "external": 18501, "ip": "127.0.0.1", "protocol": "tcp"},
        {"internal": 8500, "external": 18500, "ip": "127.0.0.1", "protocol": "tcp"},
    ]
    assert deployed.outputs["rest_url"] == "http://127.0.0.1:18501"
    assert deployed.outputs["grpc_target"] == "127.0.0.1:18500"


def test_a_port_of_nought_is_not_published():
    deployed = deploy(grpc_port=0)
    assert [each["internal"] for each in deployed.one("Container").inputs["ports"]] == [8501]
    assert deployed.outputs["grpc_target"] == ""


@pytest.mark.parametrize("name", ["mnist", "mnist-client"])
def test_containers_are_nobodys_and_can_change_nothing(name: str):
    container = containers(client=CLIENT)[name]
    assert container["user"] == "65532:65532"
    assert container["readOnly"] is True
    assert container["capabilities"] == {"drops": ["ALL"]}
    assert container["securityOpts"] == ["no-new-privileges:true"]


def test_memory_is_bounded_and_never_swapped():
    server = containers(resources=ResourcesConfig(memory_mib=2048, scratch_mib=64))["mnist"]
    assert (server["memory"], server["memorySwap"]) == (2048, 2048)
    assert server["tmpfs"] == {"/tmp": "size=67108864,mode=1777"}


def test_a_stopping_server_has_time_for_its_longest_request():
    server = containers(request_timeout_seconds=60)["mnist"]
    assert server["stopTimeout"] == server["destroyGraceSeconds"] == 3 + 60 + 5


def test_up_waits_until_the_model_answers():
    server = containers()["mnist"]
    assert server["wait"] is True
    assert "/readyz" in server["healthcheck"]["tests"][-1]


@pytest.mark.parametrize(("count", "gpus"), [(0, None), (1, "all")], ids=["none", "gpus"])
def test_gpus_are_seen_only_where_asked_for(count: int, gpus: str | None):
    server = containers(gpu=GpuConfig(count=count))["mnist"]
    assert server.get("gpus") == gpus
    assert ("NVIDIA_VISIBLE_DEVICES=void" in server["envs"]) is (count == 0)


def test_the_server_has_the_port_that_its_health_check_asks():
    server = containers()["mnist"]
    assert "TFSP_MONITORING_PORT=8502" in server["envs"]
    assert "127.0.0.1:8502/readyz" in server["healthcheck"]["tests"][-1]


def test_the_server_reads_the_same_settings_as_in_a_cluster():
    envs = containers(request_timeout_seconds=60)["mnist"]["envs"]
    assert {
        "TFSP_MODEL_NAME=mnist",
        "TFSP_SHUTDOWN_GRACE_SECONDS=60.0",
        "TFSP_REST_API_TIMEOUT_IN_MS=60000",
    } <= set(envs)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"rest_port": 8500}, "rest_port and grpc_port are both 8500"),
        ({"rest_port": 70_000}, "rest_port must be a port, or 0"),
        ({"gpu": GpuConfig(count=1, resource="nvidia.com/mig-1g.10gb")}, "whole GPUs only"),
    ],
    ids=["one port", "no port", "slice"],
)
def test_what_no_host_can_do_is_a_sentence(changes: dict[str, Any], words: str):
    with pytest.raises(ConfigError, match=words):
        deploy(**changes)
