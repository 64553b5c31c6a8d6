"""What state the cluster is in, as one object for programs and a few lines for people."""

from typing import Any

from toolchain.cluster.layout import BUILDER, CONTEXT, REGISTRY
from toolchain.cluster.life import Cluster


def report(cluster: Cluster) -> dict[str, Any]:
    """Return the state: `running` only when every process lives and the node is Ready."""
    alive = cluster.alive()
    ready = all(alive.values()) and "kubelet" in alive and cluster.node_is_ready(cluster.state.gpus)
    return {
        "running": ready,
        "components": {
            name: {
                "pid": cluster.state.processes[name].pid,
                "alive": is_alive,
                "log": str(cluster.layout.logs / f"{name}.log"),
            }
            for name, is_alive in alive.items()
        },
        "gpus": cluster.state.gpus,
        "context": CONTEXT,
        "kubeconfig": str(cluster.layout.kubeconfig()),
        "registry": REGISTRY,
        "builder": BUILDER,
    }


def text(report: dict[str, Any]) -> str:
    """Return the report for a person, with what to do next."""
    if not report["components"]:
        return "The cluster is not there; start it with `bin/cluster up`."
    lines = [
        f"  {name:<20} {'running' if each['alive'] else 'DEAD   '}  pid {each['pid']:<8} {each['log']}"
        for name, each in report["components"].items()
    ]
    if report["running"]:
        lines.append(f"The node is Ready with {report['gpus']} stand-in GPUs; registry {report['registry']}.")
        lines.append(f"  export KUBECONFIG={report['kubeconfig']}")
    else:
        lines.append(
            "The cluster is damaged; repair it with `bin/cluster up` or remove it with `bin/cluster down`."
        )
    return "\n".join(lines)
