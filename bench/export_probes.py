"""One measurement a process, since a second load in the same process is warm; run by `bench.export`.

    python -m bench.export_probes freeze FOLDER             TensorFlow's load and our freezing pass, CPU seconds
    python -m bench.export_probes contract FOLDER           reading a servable's contract, CPU seconds
    python -m bench.export_probes served FOLDER             TensorFlow's own load of a servable, and one answer
    python -m bench.export_probes import                    nothing but TensorFlow
    python -m bench.export_probes inception FILE            an Inception-v3 Keras file with random weights
    python -m bench.export_probes unfrozen SOURCE FOLDER    the source as a SavedModel with variables

The last line printed is a JSON object.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def freeze(folder: Path) -> dict[str, float]:
    """Let TensorFlow load a SavedModel with variables, then freeze what it loaded."""
    from model_export.artifact import ExportRequest
    from model_export.canonical import canonicalise
    from model_export.freeze import Endpoints
    from model_export.freeze import freeze as freeze_graph
    from model_export.graphs.references import node_of
    from model_export.sessions import import_tensorflow
    from model_export.source_files import locate
    from model_export.sources import opened

    import_tensorflow()
    request = ExportRequest(name="m", source=folder, base_path=folder)
    began = time.process_time()
    with opened(locate(folder), request, lambda _: None) as model:
        model.restore()
        loaded = time.process_time()
        assets = frozenset(node_of(each.tensor_name) for each in model.assets)
        endpoints = Endpoints(signatures=model.signatures, initializer=model.initializer, assets=assets)
        canonicalise(freeze_graph(model.graph, endpoints, model.read_values).graph)
        frozen = time.process_time()
    return {"load_seconds": loaded - began, "freeze_seconds": frozen - loaded}


def contract(folder: Path) -> dict[str, float]:
    """Read what a servable promises, as a preview does."""
    from model_export.contract import read_contract

    began = time.process_time()
    read_contract(folder)
    return {"contract_seconds": time.process_time() - began}


def served(folder: Path) -> dict[str, float]:
    """Load a servable with TensorFlow alone and ask it once: the least memory that checking it as served can take."""
    import tensorflow as tf

    from bench.export_loads import example

    with tf.Graph().as_default() as graph, tf.compat.v1.Session(graph=graph) as session:
        signature = tf.compat.v1.saved_model.load(session, ["serve"], str(folder)).signature_def[
            "serving_default"
        ]
        feeds = {
            info.name: example(
                tuple(max(dim.size, 1) for dim in info.tensor_shape.dim), is_text=info.dtype == tf.string
            )
            for info in signature.inputs.values()
        }
        session.run([info.name for info in signature.outputs.values()], feeds)
    return {}


def inception(path: Path) -> dict[str, float]:
    """Write Inception-v3 with random weights: its size and its names are what counts."""
    import keras

    keras.utils.set_random_seed(1)
    keras.applications.InceptionV3(weights=None).save(path)
    return {}


def unfrozen(source: Path, folder: Path) -> dict[str, float]:
    """Write the SavedModel that TensorFlow's users serve: from a checkpoint by the old builder, from Keras by its export."""
    if source.suffix == ".keras":
        import keras

        keras.models.load_model(source, compile=False).export(str(folder), verbose=False)
        return {}
    import tensorflow as tf

    v1 = tf.compat.v1
    prefix = tf.train.latest_checkpoint(str(source))
    with tf.Graph().as_default() as graph, v1.Session() as session:
        v1.train.import_meta_graph(f"{prefix}.meta").restore(session, prefix)
        names = {each.name for each in graph.get_operations()}
        outputs = {
            name: graph.get_tensor_by_name(f"{name}:0") for name in ("scores", "classes") if name in names
        }
        v1.saved_model.simple_save(
            session, str(folder), {"images": graph.get_tensor_by_name("images:0")}, outputs
        )
    return {}


def import_tensorflow_alone() -> dict[str, float]:
    """Import, and nothing else."""
    import tensorflow as tf

    return {"version": float(tf.__version__.rpartition(".")[0])}


def main(words: list[str]) -> None:
    """Run one probe and print what it found."""
    what, *paths = words
    places = [Path(each) for each in paths]
    probes = {
        "freeze": lambda: freeze(places[0]),
        "contract": lambda: contract(places[0]),
        "served": lambda: served(places[0]),
        "import": import_tensorflow_alone,
        "inception": lambda: inception(places[0]),
        "unfrozen": lambda: unfrozen(places[0], places[1]),
    }
    probe: Callable[[], dict[str, float]] = probes[what]
    print(json.dumps(probe()))


if __name__ == "__main__":
    main(sys.argv[1:])
