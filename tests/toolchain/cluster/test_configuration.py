import json
import tomllib
from pathlib import Path

import pytest

from toolchain.cluster import certificates, components, configuration
from toolchain.cluster.components import Component, Programs
from toolchain.cluster.layout import NODE_ADDRESS, Layout

LAYOUT = Layout(root=Path("/state"))
PROGRAMS = Programs(
    kube=Path("/b/kube"),
    pause=Path("/b/pause"),
    buildkitd=Path("/b/buildkitd"),
    coredns=Path("/b/coredns"),
    metrics_server=Path("/b/metrics-server"),
)
COMPONENTS: tuple[Component, ...] = (
    *components.foundation(LAYOUT, PROGRAMS),
    *components.control_plane(LAYOUT, PROGRAMS),
    *components.node(LAYOUT, PROGRAMS),
    components.device_plugin(PROGRAMS, 2),
)


def test_containerd_keeps_everything_below_our_root() -> None:
    settings = tomllib.loads(configuration.containerd(LAYOUT))
    cri = settings["plugins"]["io.containerd.grpc.v1.cri"]
    assert settings["state"].startswith("/state/")
    assert settings["root"].startswith("/state/")
    assert cri["netns_mounts_under_state_dir"]
    assert cri["containerd"]["runtimes"]["runc"]["options"]["Root"].startswith("/state/")


def test_the_image_builder_shares_the_machines_network_and_has_a_limit() -> None:
    worker = tomllib.loads(configuration.buildkitd(LAYOUT))["worker"]["oci"]
    assert worker["networkMode"] == "host"
    assert worker["gc"]
    assert worker["maxUsedSpace"]


def test_the_kubelet_asks_for_credentials_and_writes_below_our_root() -> None:
    settings = json.loads(configuration.kubelet(LAYOUT))
    assert settings["authentication"]["anonymous"] == {"enabled": False}
    assert settings["authorization"] == {"mode": "Webhook"}
    assert settings["podLogsDir"].startswith("/state/")


def test_the_builder_is_found_by_its_socket() -> None:
    (node,) = json.loads(configuration.builder_instance(LAYOUT))["Nodes"]
    assert node["Endpoint"] == "unix:///state/buildkit/buildkitd.sock"


def test_component_names_and_ports_are_unique() -> None:
    names = [component.name for component in COMPONENTS]
    ports = [port for component in COMPONENTS for port in component.ports]
    assert len(names) == len(set(names))
    assert len(ports) == len(set(ports))


def test_every_port_is_checked_before_anything_starts() -> None:
    listened = {port for component in COMPONENTS for port in component.ports}
    # A resolver of the machine's own may listen on 53 of another address, which is no conflict.
    assert listened - set(components.PURPOSES) == {53}


@pytest.mark.parametrize("component", COMPONENTS, ids=lambda component: component.name)
def test_components_listen_on_loopback_or_on_the_bridge_only(component: Component) -> None:
    for word in component.command:
        if "bind-address" in word or "listen-" in word:
            assert "127.0.0.1" in word or NODE_ADDRESS in word, word
        assert "0.0.0.0" not in word


def test_the_number_of_stand_in_gpus_is_part_of_the_command() -> None:
    assert components.device_plugin(PROGRAMS, 3).command != components.device_plugin(PROGRAMS, 2).command


def test_every_client_has_a_certificate() -> None:
    assert set(certificates.CLIENTS.values()) <= {each.name for each in certificates.CERTIFICATES}
