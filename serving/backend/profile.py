"""How TensorFlow is set up for a model: threads, executor and oneDNN.

Measured on small models, one thread without oneDNN answers seven times sooner than the defaults, and on
convolutions over big pictures the defaults win threefold; no setting is right for both. `auto` takes what was
fastest when the exporter tried, or else decides by the size of the model on disk and by whether it convolves. oneDNN belongs to the process, the rest to the
session.
"""

import dataclasses
import os
from pathlib import Path

from serving.manifest import read_manifest
from serving.protos import config_pb2
from serving.settings import ServingSettings

SINGLE_THREAD = "single_thread"
SMALL_MODEL_BYTES = 16 << 20
"""Between the CNN that gained from one thread (5 MB) and the EfficientNet that lost (19 MB)."""
_CALLERS_THREAD = -1
"""RunOptions.inter_op_thread_pool: run in the thread that asks (tensorflow/core/protobuf/config.proto)."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile:
    """One set-up, as the bytes that TensorFlow takes."""

    name: str
    session_config: bytes
    """A serialized ConfigProto."""
    run_options: bytes
    """A serialized RunOptions."""

    @property
    def is_single_threaded(self) -> bool:
        return self.name == SINGLE_THREAD


def choose_profile(settings: ServingSettings, folder: Path) -> Profile:
    """The profile that the settings ask for, or the one that suits the model in `folder`."""
    manifest = read_manifest(folder)
    name = settings.backend_profile
    if name == "auto":
        name = manifest.backend_profile
    if not name:
        name = SINGLE_THREAD if is_small(folder) and not _has_gpu() else "thread_pool"
    return make_profile(name, settings, is_optimized=manifest.is_optimized)


def make_profile(
    name: str, settings: ServingSettings, *, plain_executor: bool = False, is_optimized: bool = False
) -> Profile:
    """The named profile; `plain_executor` keeps TensorFlow's own executor, for graphs the lean one refuses.

    `is_optimized` leaves out the graph optimiser: measured on four models, load and first answer take a fifth to a
    twentieth of the time, and later answers the same within a few percent.
    """
    is_single = name == SINGLE_THREAD
    config = config_pb2.ConfigProto(
        allow_soft_placement=True,
        use_per_session_threads=is_single,
        intra_op_parallelism_threads=_threads(
            settings, settings.tensorflow_intra_op_parallelism, is_single=is_single
        ),
        inter_op_parallelism_threads=_threads(
            settings, settings.tensorflow_inter_op_parallelism, is_single=is_single
        ),
    )
    config.graph_options.rewrite_options.disable_meta_optimizer = is_optimized
    fraction = settings.per_process_gpu_memory_fraction
    config.gpu_options.allow_growth = not fraction
    config.gpu_options.per_process_gpu_memory_fraction = fraction
    options = config_pb2.RunOptions()
    if is_single:
        options.inter_op_thread_pool = _CALLERS_THREAD
        if not plain_executor:
            config.experimental.executor_type = "SINGLE_THREADED_EXECUTOR"
    return Profile(
        name=name, session_config=config.SerializeToString(), run_options=options.SerializeToString()
    )


def prepare_process(settings: ServingSettings, folder: Path | None) -> None:
    """Set the environment that TensorFlow reads when its library is loaded; later it is too late.

    `folder` is the first model to load: oneDNN follows it when the setting is `auto`.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1" if _wants_onednn(settings, folder) else "0")


def _wants_onednn(settings: ServingSettings, folder: Path | None) -> bool:
    choice = settings.onednn
    if choice == "auto" and folder is not None:
        choice = read_manifest(folder).onednn or choice
    return choice == "on" or (choice == "auto" and not _is_small_and_dense(folder))


def is_small(folder: Path) -> bool:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < SMALL_MODEL_BYTES


def _is_small_and_dense(folder: Path | None) -> bool:
    if folder is None or not is_small(folder):
        return False
    graph = folder / "saved_model.pb"
    return graph.is_file() and b"Conv" not in graph.read_bytes()


def _has_gpu() -> bool:
    return Path("/dev/nvidiactl").exists()


def _threads(settings: ServingSettings, own: int, *, is_single: bool) -> int:
    return own or settings.tensorflow_session_parallelism or int(is_single)
