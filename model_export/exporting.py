"""The whole road of one export: open, freeze, write, verify, measure, publish.

Everything happens in a hidden folder beside the destination; the manifest is its last file and one rename makes it visible. A
version that is there already is compared, never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from model_export import steps
from model_export.accuracy import measure
from model_export.artifact import MANIFEST_NAME, Accuracy, ExportRequest, Manifest, ModelArtifact
from model_export.canonical import canonicalise
from model_export.describing import describe
from model_export.errors import ManifestError, VersionExistsError
from model_export.examples import Arrays, inputs_of, read_arrays, read_examples
from model_export.freeze import Endpoints, freeze
from model_export.graphs.references import node_of
from model_export.normal_form import FrozenModel
from model_export.preprocessing import find_preprocessed
from model_export.refining import refine, tuned
from model_export.rehearsal import Rehearsal, rehearse, write_rehearsal
from model_export.servable import write_graph_def, write_servable
from model_export.sessions import release_memory
from model_export.source_files import SourceFiles, locate
from model_export.sources import opened
from model_export.standing import is_whole, standing_artifact
from model_export.steps import NOBODY, Watcher
from model_export.verify import Exchange, interview, verify
from model_export.version_folder import commit, replace_file, staged

Report = Callable[[str], None]


def export(
    request: ExportRequest,
    *,
    report: Report,
    watcher: Watcher = NOBODY,
    frozen_graph: Path | None = None,
) -> ModelArtifact:
    """Export one model and return it as it stands in the repository; `frozen_graph` also receives the bare GraphDef.

    Raises the errors of this package, each a sentence; whatever it raises, no part of a version is visible.
    """
    source = locate(request.source)
    standing = standing_artifact(source, request)
    if standing is not None and frozen_graph is None:
        report(f"Nothing to do: {standing.path} was exported from this source.")
        return standing
    watcher.plan(steps.export_steps(request))
    examples = None if request.evaluate is None else read_examples(request.evaluate)
    with staged(request.base_path) as folder:
        model, exchanges, rehearsal = _freeze(source, request, examples, report, watcher)
        release_memory()  # only now does nothing refer to the source any more
        watcher.enter(steps.WRITE)
        write_servable(folder, model)
        verification = verify(folder, exchanges, watcher=watcher)
        report(
            f"Verified {verification.exchanges} batches: bit for bit with optimisers off, "
            f"within {verification.largest_difference:.0e} as served."
        )
        model, notes = refine(folder, model, exchanges, request, report, watcher)
        write_rehearsal(folder, request.name, rehearsal)
        if request.tune:
            notes["tuning"] = tuned(folder, report, watcher)
        accuracy = None if examples is None else _measure(folder, model, request, examples, report, watcher)
        watcher.enter(steps.PUBLISH)
        manifest = describe(folder, model, source=source, request=request, accuracy=accuracy, extra=notes)
        (folder / MANIFEST_NAME).write_text(manifest.to_json(), encoding="utf-8")
        if frozen_graph is not None:
            write_graph_def(frozen_graph, model.graph)
            report(f"Wrote the frozen graph to {frozen_graph}.")
        return _publish(folder, request.base_path / str(manifest.version), manifest, report)


def _freeze(
    source: SourceFiles,
    request: ExportRequest,
    examples: Arrays | None,
    report: Report,
    watcher: Watcher,
) -> tuple[FrozenModel, tuple[Exchange, ...], Rehearsal]:
    watcher.enter(steps.READ)
    with opened(source, request, report) as loaded:
        watcher.enter(steps.FREEZE)
        inputs = None
        if examples is not None:
            inputs = inputs_of(examples, request.signature, loaded.signatures[request.signature])
        endpoints = Endpoints(
            signatures=loaded.signatures,
            initializer=loaded.initializer,
            assets=frozenset(node_of(each.tensor_name) for each in loaded.assets),
        )
        frozen = freeze(loaded.graph, endpoints, loaded.read_values)
        watcher.enter(steps.ASK)
        example = None if request.example is None else read_arrays(request.example)
        exchanges = interview(loaded.signatures, loaded.answer, examples=inputs, example=example)
        rehearsal = rehearse(
            exchanges,
            request,
            signature=loaded.signatures[request.signature],
            answer=loaded.answer,
            examples=inputs,
        )
        nodes = {node.name for node in frozen.graph.node}
        assets = tuple(each for each in loaded.assets if node_of(each.tensor_name) in nodes)
        signatures = loaded.signatures
        preprocessed = None
        if request.preprocessed is not None:
            preprocessed = find_preprocessed(
                request.preprocessed, loaded.session.graph, frozen.graph, signatures[request.signature]
            )
    canonicalise(frozen.graph)
    report(
        f"Froze {frozen.folded.variables} variables, {frozen.folded.size_bytes} bytes, "
        f"into {len(frozen.graph.node)} nodes."
    )
    model = FrozenModel(
        graph=frozen.graph,
        signatures=signatures,
        initializer=frozen.initializer,
        assets=assets,
        folded=frozen.folded,
        preprocessed=preprocessed,
    )
    return model, exchanges, rehearsal


def _measure(
    folder: Path,
    model: FrozenModel,
    request: ExportRequest,
    examples: Arrays,
    report: Report,
    watcher: Watcher,
) -> Accuracy:
    signature = model.signatures[request.signature]
    accuracy = measure(folder, request.signature, signature, examples, request.metric, watcher=watcher)
    report(f"Accuracy on {accuracy.examples} examples: {accuracy.metric} {accuracy.value:.4f}.")
    return accuracy


def _publish(folder: Path, version_path: Path, manifest: Manifest, report: Report) -> ModelArtifact:
    if not version_path.exists() and commit(folder, version_path):
        report(f"Exported {manifest.name} version {manifest.version} to {version_path}.")
        return ModelArtifact(path=version_path, manifest=manifest)
    return _agree(version_path, manifest, report)


def _agree(version_path: Path, manifest: Manifest, report: Report) -> ModelArtifact:
    """Accept the version that is there when it computes the same; its manifest alone may learn new facts."""
    try:
        standing = Manifest.read(version_path)
    except ManifestError as error:
        message = f"expected {version_path} to be free or an earlier export, received a folder without manifest; move it away"
        raise VersionExistsError(message) from error
    if standing.identity != manifest.identity:
        message = (
            f"expected version {manifest.version} of {manifest.name} to be new or equal, received another model than stands "
            f"in {version_path} (identity {standing.identity[:19]}…, now {manifest.identity[:19]}…); versions are never "
            "overwritten: choose a higher --version"
        )
        raise VersionExistsError(message)
    if not is_whole(version_path, standing):
        message = f"expected the files that the manifest of {version_path} names, received damaged ones; move the folder away"
        raise VersionExistsError(message)
    facts = replace(manifest, files=standing.files, size_bytes=standing.size_bytes)
    if facts != standing:
        replace_file(version_path / MANIFEST_NAME, facts.to_json())
    report(f"Nothing to do: {version_path} holds the same model.")
    return ModelArtifact(path=version_path, manifest=facts)
