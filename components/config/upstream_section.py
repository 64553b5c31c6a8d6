"""The keys of TensorFlow Serving behind the API layer, in effect where `server.runtime` is `tensorflow-serving`."""

from dataclasses import dataclass
from typing import ClassVar

from components.config.fields import check_limits, setting


@dataclass(frozen=True, kw_only=True)
class UpstreamConfig:
    """TensorFlow Serving behind the API layer (`server.runtime: tensorflow-serving`); the sections `resources` and `gpu` are its own then."""

    SECTION: ClassVar[str] = "upstream"

    image: str = setting(
        "",
        "Official server to put the model on, by digest, such as `docker.io/tensorflow/serving:2.20.0@sha256:…`.",
        pattern=(r"\S+@sha256:[0-9a-f]{64}", "an image by digest, `NAME:TAG@sha256:…`"),
    )
    gateway_cpu_millicores: int = setting(
        500, "CPU request of the API layer beside it, in thousandths of a core.", minimum=10, maximum=512_000
    )
    gateway_memory_mib: int = setting(
        512, "Memory request and limit of the API layer beside it.", minimum=256, maximum=16_777_216
    )
    batching: bool = setting(default=True, doc="Let it join requests into batches.")
    max_batch_rows: int = setting(64, "Most rows of a batch.", minimum=1, maximum=1_000_000)
    batch_wait_micros: int = setting(
        1_000, "Longest time that a batch waits for company.", minimum=0, maximum=60_000_000
    )
    batch_threads: int = setting(
        0, "Batches that run at once; 0 for one a core of resources.cpuMillicores.", minimum=0, maximum=4_096
    )
    pad_batches: bool = setting(
        default=False,
        doc="Fill batches up to powers of two, so that a GPU sees few shapes; the rows that fill are thrown away.",
    )
    warmup: bool = setting(
        default=True, doc="Replay the warm-up requests of the version before it is available."
    )
    rest: bool = setting(
        default=True,
        doc="Answer REST too, through a port inside the pod that network policies close to everybody else; off, only gRPC is answered.",
    )
    metrics: bool = setting(
        default=False,
        doc="Open that port to exposure.monitoringNamespaces for its own metrics; its REST API answers there as well.",
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)
