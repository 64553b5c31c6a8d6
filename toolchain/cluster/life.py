"""The life of the cluster: up, down, and what state it is in.

    absent ──up──> running ──a process dies, the machine stops──> damaged
       ^              │ ^                                             │
       └─────down─────┘ └──────────────────────up─────────────────────┤
       ^                                                              │
       └──────────────────────────────down────────────────────────────┘

`up` goes towards running from wherever it finds things and touches nothing that is right: what runs with
the wanted command line stays, what is dead or different is started anew. Before that, what a stopped machine
or a dead containerd left in the kernel is cleared. `down` removes everything and forgets.
"""

import dataclasses
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from toolchain import binaries, disk, mounts
from toolchain.cluster import (
    addons,
    certificates,
    configuration,
    images,
    leftovers,
    network,
    ports,
    processes,
)
from toolchain.cluster import components as parts
from toolchain.cluster import state as records
from toolchain.cluster.components import IMAGE_PURPOSES, PURPOSES, Component, Programs
from toolchain.cluster.kubectl import Kubectl
from toolchain.cluster.layout import NODE, Layout
from toolchain.cluster.state import ClusterState
from toolchain.errors import ComponentFailed
from toolchain.folders import Folders
from toolchain.progress import Progress

CLUSTER_BYTES = 4 * 10**9  # images of a first deployment, in the registry, the builder and the node
READY_SECONDS = 90.0
POLL_SECONDS = 0.2
# The API server would wait a minute for watches to end by themselves; nothing is lost by not waiting.
GRACE_SECONDS = 3.0
LOG_LINES = 5


@dataclasses.dataclass
class Cluster:
    """The cluster of this machine. Holds the record of what runs, in memory and on disk."""

    layout: Layout
    folders: Folders
    programs: Programs
    progress: Progress
    state: ClusterState = dataclasses.field(init=False)

    def __post_init__(self) -> None:
        self.state = records.load(self.layout.state_file) or ClusterState()

    @property
    def kubectl(self) -> Kubectl:
        """Return kubectl as this cluster's administrator."""
        running = self.state.processes.get("apiserver")
        # A cluster that outlived a change of the checkout is asked through the kubectl that it came with.
        kube = Path(running.command[0]) if running else self.programs.kube
        return Kubectl(program=kube.with_name("kubectl"), kubeconfig=self.layout.kubeconfig())

    def up(self, gpus: int) -> None:
        """Bring the whole cluster to running. Raises PortTaken before anything is touched."""
        network.require_free_ranges()
        self._begin(binaries.CLUSTER + binaries.BUILDER, PURPOSES)
        self._remember(dataclasses.replace(self.state, gpus=gpus))
        network.make_bridge()
        certificates.make_all(self.layout.certificates)
        configuration.write_all(self.layout)
        with self.progress.step("containers, storage, registry, image builder"):
            self._ensure(parts.foundation(self.layout, self.programs))
        with self.progress.step("base images in the registry") as step:
            images.push_pause(self.programs)
            step.note = images.push_bases(self.folders)
        with self.progress.step("API server"):
            self._end_what_lost_its_api_server()
            self._ensure(parts.control_plane(self.layout, self.programs))
            # Before its processes start: metrics-server ends by itself when it may not read what these roles allow.
            self._wait(
                lambda: addons.apply(self.layout, self.kubectl),
                "the cluster's services to be accepted",
                "apiserver",
            )
        with self.progress.step("controllers, DNS, metrics, node"):
            self._ensure(parts.node(self.layout, self.programs))
        with self.progress.step("node Ready") as step:
            self._ensure([parts.device_plugin(self.programs, gpus)])
            self._wait(lambda: self.node_is_ready(gpus), f"the node to be Ready with {gpus} GPUs", "kubelet")
            step.note = f"{gpus} stand-in GPUs"

    def up_image_services(self) -> None:
        """Bring only the registry and the image builder to running, for use with another cluster."""
        self._begin(binaries.BUILDER, IMAGE_PURPOSES)
        configuration.write_for_images(self.layout)
        with self.progress.step("registry, image builder"):
            self._ensure(parts.image_services(self.layout, self.programs))
        with self.progress.step("base images in the registry") as step:
            step.note = images.push_bases(self.folders)

    def down(self) -> None:
        """Remove everything that `up` made, from whatever state it is in."""
        with self.progress.step("stop processes"):
            # The kubelet first, or it would start again what is being stopped.
            first = [record for name, record in self.state.processes.items() if name == "kubelet"]
            processes.stop(first, grace_seconds=GRACE_SECONDS)
            leftovers.stop_containers(self.layout)
            processes.stop(self.state.processes.values(), grace_seconds=GRACE_SECONDS)
        with self.progress.step("remove mounts, namespaces, bridge, packet filter rules, files"):
            leftovers.remove_all(self.layout)
            network.restore_switches(self.state.kernel_switches)
            mounts.remove_tree(self.layout.root)
        self.state = ClusterState()

    def alive(self) -> dict[str, bool]:
        """Return component -> whether exactly the process we started still runs."""
        return {name: processes.is_alive(record) for name, record in self.state.processes.items()}

    def is_wrecked(self) -> bool:
        """Say whether what runs, if anything, has lost its containers and must be cleared before a new start."""
        alive = self.alive()
        return not any(alive.values()) or alive.get("containerd") is False

    def node_is_ready(self, gpus: int) -> bool:
        """Say whether the node takes pods and advertises the wanted GPUs."""
        node = self.kubectl.read("node", NODE)
        if node is None:
            return False
        conditions = {each["type"]: each["status"] for each in node["status"].get("conditions", [])}
        advertised = int(node["status"].get("allocatable", {}).get("nvidia.com/gpu", 0))
        return conditions.get("Ready") == "True" and advertised == gpus

    def _begin(self, wanted: tuple[binaries.Binary, ...], purposes: Mapping[int, str]) -> None:
        """Check what can be checked, then clear what a stopped machine or a dead containerd left behind."""
        parts.require_built(wanted, self.folders)
        disk.require_free(self.layout.root, CLUSTER_BYTES, purpose="the cluster", variable="XDG_STATE_HOME")
        alive = [record for record in self.state.processes.values() if processes.is_alive(record)]
        ports.require_free(purposes, own_pids=(record.pid for record in alive))
        switches = self.state.kernel_switches or network.read_switches()
        if self.is_wrecked():
            self._clear_wreck()
        self._remember(dataclasses.replace(self.state, kernel_switches=switches))
        leftovers.make_control_groups()

    def _clear_wreck(self) -> None:
        """End what is left of a cluster whose containers are lost; what it stored stays."""
        processes.stop(self.state.processes.values(), grace_seconds=GRACE_SECONDS)
        leftovers.remove_all(self.layout)

    def _end_what_lost_its_api_server(self) -> None:
        """End, to be started anew, what has waited for an API server that is gone.

        Its clients ask again less and less often, so they would stand still for up to two minutes after it is back.
        """
        names = ("apiserver", *(each.name for each in parts.node(self.layout, self.programs)))
        server, *clients = (self.state.processes.get(name) for name in names)
        if server is not None and not processes.is_alive(server):
            processes.stop([each for each in clients if each is not None], grace_seconds=GRACE_SECONDS)

    def _ensure(self, wanted: Iterable[Component]) -> None:
        wanted = tuple(wanted)
        for component in wanted:
            self._start(component)
        for component in wanted:
            self._wait(component.is_ready, component.name, component.name)

    def _start(self, component: Component) -> None:
        record = self.state.processes.get(component.name)
        if record is not None and processes.is_alive(record):
            if record.command == component.command:
                return
            processes.stop([record], grace_seconds=GRACE_SECONDS)
        started = processes.start(
            component.command,
            log=self.layout.logs / f"{component.name}.log",
            cwd=self.layout.root,
            env=os.environ,
        )
        self._remember(self.state.with_process(component.name, started))

    def _wait(self, is_true: Callable[[], bool], what: str, component: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while not is_true():
            record = self.state.processes[component]
            if not processes.is_alive(record):
                raise ComponentFailed(f"{component} ended by itself; {self._last_words(component)}")
            if time.monotonic() > deadline:
                raise ComponentFailed(
                    f"expected {what} within {READY_SECONDS:.0f} s, and it was not so; {self._last_words(component)}"
                )
            time.sleep(POLL_SECONDS)

    def _last_words(self, component: str) -> str:
        log = self.layout.logs / f"{component}.log"
        lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:] if log.exists() else []
        quoted = "\n".join(f"    {line}" for line in lines)
        return f"look into {log}, then run `bin/cluster up` again or `bin/cluster down`. Its last lines:\n{quoted}"

    def _remember(self, state: ClusterState) -> None:
        self.state = state
        records.save(state, self.layout.state_file)
