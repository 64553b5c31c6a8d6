"""Removing our rules from iptables, and no others.

kube-proxy and the kubelet work in chains named KUBE-…, the CNI plugins in CNI-… chains whose jumps carry
our network's name in a comment. A removal is written as one iptables-restore script: first the jumps into
our chains, then the chains' rules, then the chains.
"""

import re
import shutil
import subprocess

from toolchain.folders import PRODUCT

KUBERNETES_PREFIX = "KUBE-"
HOST_PORT_PREFIX = "CNI-HOSTPORT-"
NETWORK_COMMENT = f'name: \\"{PRODUCT}\\"'


def remove_rules() -> None:
    """Remove our rules for both address families."""
    for family in ("iptables", "ip6tables"):
        if shutil.which(f"{family}-save") is None:
            continue
        saved = subprocess.run([f"{family}-save"], capture_output=True, text=True).stdout
        script = removal_script(saved)
        if script:
            subprocess.run(
                [f"{family}-restore", "--noflush"], input=script, text=True, capture_output=True, check=True
            )


def removal_script(saved: str) -> str:
    """Return the iptables-restore script that removes our chains from what iptables-save printed."""
    script: list[str] = []
    for table in re.findall(r"^\*(\w+)\n(.*?)^COMMIT$", saved, flags=re.MULTILINE | re.DOTALL):
        name, body = table
        removal = _remove_from_table(body.splitlines())
        if removal:
            script += [f"*{name}", *removal, "COMMIT"]
    return "\n".join(script) + "\n" if script else ""


def owned_chains(lines: list[str]) -> set[str]:
    """Return the chains of one table that are ours."""
    declared = {line[1:].split()[0] for line in lines if line.startswith(":")}
    by_comment = {_target(line) for line in lines if NETWORK_COMMENT in line} & declared
    owned = {chain for chain in declared if chain.startswith(KUBERNETES_PREFIX)}
    owned |= {chain for chain in by_comment if chain.startswith("CNI-")}
    # The chains that all CNI networks share for host ports go only when nobody else's are behind them.
    strangers = {chain for chain in declared if chain.startswith("CNI-DN-")} - owned
    if not strangers:
        owned |= {chain for chain in declared if chain.startswith(HOST_PORT_PREFIX)}
    return owned


def _remove_from_table(lines: list[str]) -> list[str]:
    owned = owned_chains(lines)
    rules = [line for line in lines if line.startswith("-A ")]
    jumps = [rule for rule in rules if rule.split()[1] not in owned and _target(rule) in owned]
    return [
        *(f"-D {rule.removeprefix('-A ')}" for rule in jumps),
        *(f"-F {chain}" for chain in sorted(owned)),
        *(f"-X {chain}" for chain in sorted(owned)),
    ]


def _target(rule: str) -> str:
    found = re.search(r" -[jg] (\S+)", rule)
    return found[1] if found else ""
