from toolchain.cluster import packet_filter

OURS = '-m comment --comment "name: \\"tf-serving-platform\\" id: \\"1\\""'
THEIRS = '-m comment --comment "name: \\"podman\\" id: \\"2\\""'

SAVED = f"""\
*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-SERVICES - [0:0]
:CNI-0123 - [0:0]
:CNI-4567 - [0:0]
:DOCKER - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -j KUBE-POSTROUTING
-A POSTROUTING -s 10.244.0.2/32 {OURS} -j CNI-0123
-A POSTROUTING -s 10.88.0.2/32 {THEIRS} -j CNI-4567
-A KUBE-SERVICES -d 10.96.0.1/32 -j KUBE-POSTROUTING
-A CNI-0123 -d 10.244.0.0/24 {OURS} -j ACCEPT
COMMIT
*filter
:INPUT ACCEPT [0:0]
-A INPUT -i lo -j ACCEPT
COMMIT
"""


def test_our_chains_and_the_jumps_into_them_are_removed_and_no_others() -> None:
    assert packet_filter.removal_script(SAVED).splitlines() == [
        "*nat",
        '-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES',
        "-D POSTROUTING -j KUBE-POSTROUTING",
        f"-D POSTROUTING -s 10.244.0.2/32 {OURS} -j CNI-0123",
        "-F CNI-0123",
        "-F KUBE-POSTROUTING",
        "-F KUBE-SERVICES",
        "-X CNI-0123",
        "-X KUBE-POSTROUTING",
        "-X KUBE-SERVICES",
        "COMMIT",
    ]


def test_where_nothing_is_ours_nothing_is_done() -> None:
    assert packet_filter.removal_script("*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n") == ""
    assert packet_filter.removal_script("") == ""


def test_shared_host_port_chains_stay_while_another_network_uses_them() -> None:
    shared, strangers = ":CNI-HOSTPORT-DNAT - [0:0]", ":CNI-DN-99 - [0:0]"
    assert packet_filter.owned_chains([shared]) == {"CNI-HOSTPORT-DNAT"}
    assert packet_filter.owned_chains([shared, strangers]) == set()
