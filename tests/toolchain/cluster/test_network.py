from pathlib import Path

import pytest

from toolchain.cluster import network

DEFAULT = "default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0 proto kernel scope link src 192.0.2.2\n"


@pytest.mark.parametrize(
    ("route", "overlaps"),
    [
        ("10.244.0.0/24 dev tfsp0 proto kernel scope link src 10.244.0.1", False),
        ("10.244.0.0/16 dev flannel.1", True),
        ("10.96.3.0/24 via 192.0.2.9 dev eth0", True),
        ("10.0.0.0/8 via 192.0.2.9 dev tun0", True),
        ("10.97.0.0/16 dev tun0", False),
        ("10.244.0.7 dev veth1 scope link", True),
        ("unreachable 10.1.0.0/16", False),
    ],
    ids=[
        "our bridge",
        "pods of another",
        "services of another",
        "a wide VPN",
        "next door",
        "one host",
        "unreachable",
    ],
)
def test_a_route_into_our_networks_is_found(route: str, *, overlaps: bool) -> None:
    assert network.overlapping_route(DEFAULT + route + "\n") == (route if overlaps else None)


def test_kernel_switches_are_put_back_as_they_were(tmp_path: Path) -> None:
    switch = tmp_path / "net/ipv4/ip_forward"
    switch.parent.mkdir(parents=True)
    switch.write_text("0\n")
    before = network.read_switches(tmp_path)
    assert before == {"net/ipv4/ip_forward": "0"}
    switch.write_text("1\n")
    network.restore_switches(before, tmp_path)
    assert switch.read_text().strip() == "0"


def test_a_switch_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    network.restore_switches({"net/ipv4/ip_forward": "0"}, tmp_path)
