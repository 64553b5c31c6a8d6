"""`bin/cluster`: the command line of the local cluster."""

import argparse
import json
import os
import sys
from contextlib import AbstractContextManager
from typing import NoReturn

from toolchain import folders, locks
from toolchain.cluster import components, layout, status
from toolchain.cluster.layout import Layout
from toolchain.cluster.life import Cluster
from toolchain.errors import MissingRequirement, ToolchainError
from toolchain.progress import Progress

DEFAULT_GPUS = 2


def main(arguments: list[str]) -> int:
    """Run one command; return the exit code."""
    try:
        if arguments[:1] == ["kubectl"]:
            _kubectl(arguments[1:])
        options = _parser().parse_args(arguments)
        return int(options.run(options))
    except ToolchainError as error:
        print(f"bin/cluster: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        # A full or read-only disk, a folder of another user: the machine's trouble, and its own words say which.
        print(f"bin/cluster: {error}; mend that and run the same command again", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="bin/cluster", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="up|down|status|kubectl")
    up = commands.add_parser("up", help="start the cluster, or repair what does not run")
    up.add_argument(
        "--gpus", type=_count, default=DEFAULT_GPUS, help="stand-in nvidia.com/gpu to advertise (default: 2)"
    )
    up.add_argument("--images-only", action="store_true", help="only the registry and the image builder")
    up.set_defaults(run=_up)
    down = commands.add_parser("down", help="stop the cluster and remove everything it made")
    down.set_defaults(run=_down)
    state = commands.add_parser("status", help="say what runs; exit code 0 when the node is Ready, else 3")
    state.set_defaults(run=_status)
    for command in (up, down, state):
        command.add_argument(
            "--json", action="store_true", help="end with one JSON object on standard output"
        )
    commands.add_parser("kubectl", help="run kubectl as the cluster's administrator", add_help=False)
    return parser


def _count(text: str) -> int:
    count = int(text)
    if not 0 <= count <= 64:
        raise argparse.ArgumentTypeError(f"expected between 0 and 64 GPUs, got {count}")
    return count


def _up(options: argparse.Namespace) -> int:
    cluster = _cluster(options)
    _require_root("up")
    with _lock(cluster.progress):
        if options.images_only:
            cluster.up_image_services()
        else:
            cluster.up(options.gpus)
    if options.json:
        print(json.dumps(status.report(cluster) | {"seconds": cluster.progress.seconds}))
    return 0


def _down(options: argparse.Namespace) -> int:
    cluster = _cluster(options)
    _require_root("down")
    with _lock(cluster.progress):
        cluster.down()
    if options.json:
        print(json.dumps(status.report(cluster)))
    return 0


def _status(options: argparse.Namespace) -> int:
    report = status.report(_cluster(options))
    print(json.dumps(report) if options.json else status.text(report))
    return 0 if report["running"] else 3


def _kubectl(arguments: list[str]) -> NoReturn:
    """Become kubectl, so that signals and terminals reach it."""
    kubectl = _cluster(argparse.Namespace(json=False)).kubectl
    command = [str(kubectl.program), f"--kubeconfig={kubectl.kubeconfig}", *arguments]
    os.execv(kubectl.program, command)  # noqa: S606  # a fixed program, and no shell is wanted


def _cluster(options: argparse.Namespace) -> Cluster:
    places = folders.locate()
    root = layout.choose_root(places.cluster)
    # Standard output belongs to the JSON object when one is asked for.
    progress = Progress(sys.stderr if options.json else sys.stdout)
    return Cluster(
        layout=Layout(root=root), folders=places, programs=components.locate(places), progress=progress
    )


def _lock(progress: Progress) -> AbstractContextManager[None]:
    return locks.exclusive(folders.locate().state / "cluster.lock", progress)


def _require_root(command: str) -> None:
    if os.geteuid() != 0:
        raise MissingRequirement(
            f"root is needed to run a Kubernetes node on this machine; run `sudo bin/cluster {command}`, or use your own "
            "cluster with `bin/up --context NAME --registry HOST`"
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
