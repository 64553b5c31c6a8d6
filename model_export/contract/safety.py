"""Operations that reach outside the graph, and the refusal of those that nobody allowed.

A model is a program (TensorFlow's SECURITY.md): it can read the pod's token, write files, or call Python that is not there. The
lists follow `saved_model_cli scan` (ReadFile, WriteFile, PrintV2) and go on where it stops: readers, datasets, summaries, debuggers,
protocol buffer descriptors from disk, remote calls, and whatever the installed TensorFlow does not register at all.
`registered_ops.txt` is written by `python -m model_export.contract.record_ops`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Final

from model_export.contract.document import Contract
from model_export.errors import ContractError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CHECKPOINT_READERS: Final = frozenset({"Restore", "RestoreSlice", "RestoreV2"})
"""At home in the restore step of a SavedModel that keeps its variables, and nowhere else."""

CHECKPOINT_OPS: Final = CHECKPOINT_READERS | {"MergeV2Checkpoints", "Save", "SaveSlices", "SaveV2"}

VOCABULARY_OPS: Final = frozenset({"InitializeTableFromTextFile", "InitializeTableFromTextFileV2"})
"""Safe where the file is one of the servable's own assets."""

FILE_OPS: Final = _words(
    """
    ReadFile WriteFile MatchingFiles WholeFileReader WholeFileReaderV2 TextLineReader TextLineReaderV2 FixedLengthRecordReader
    FixedLengthRecordReaderV2 TFRecordReader TFRecordReaderV2 LMDBReader LMDBDataset ExperimentalLMDBDataset TFRecordDataset
    TFRecordDatasetV2 TextLineDataset FixedLengthRecordDataset FixedLengthRecordDatasetV2 CSVDataset CSVDatasetV2
    ExperimentalCSVDataset SqlDataset ExperimentalSqlDataset SaveDataset SaveDatasetV2 LoadDataset SnapshotDataset SnapshotDatasetV2
    SnapshotDatasetReader SnapshotNestedDatasetReader SnapshotChunkDataset ListSnapshotChunksDataset DistributedSave CacheDataset
    CacheDatasetV2 MatchingFilesDataset ExperimentalMatchingFilesDataset DatasetToTFRecord ExperimentalDatasetToTFRecord
    CreateSummaryFileWriter CreateSummaryDbWriter WriteSummary WriteScalarSummary WriteImageSummary WriteAudioSummary
    WriteHistogramSummary WriteGraphSummary WriteRawProtoSummary ImportEvent LoadAndRemapMatrix GenerateVocabRemapping
    EncodeProto DecodeProtoV2 DebugIdentity DebugIdentityV2 DebugIdentityV3 DebugNanCount DebugNumericSummary
    DebugNumericSummaryV2 FileSystemSetConfiguration
    """
)
"""Read or write files: a graph has its weights inside and its vocabularies as assets. (Proto codecs may load descriptors from disk.)"""

PYTHON_OPS: Final = frozenset({"PyFunc", "PyFuncStateless", "EagerPyFunc", "GeneratorDataset"})
"""Call functions of the process that built the graph, which no server has."""

HOST_OPS: Final = _words(
    """
    Abort Print PrintV2 RpcServerStart RpcServerRegister RpcServer RpcClient RpcCall RpcCheckStatus RpcGetValue
    RemoteCall DataServiceDataset DataServiceDatasetV2 DataServiceDatasetV3 DataServiceDatasetV4 RegisterDataset RegisterDatasetV2
    ConfigureDistributedTPU ShutdownDistributedTPU ShutdownTPUSystem
    """
)
"""Print what clients sent into logs, open connections, or end the process."""

_REASONS: Final = (
    ("file_ops", "reads or writes files of the pod"),
    ("python_ops", "calls Python code that no server has"),
    ("host_ops", "prints, connects or ends the process"),
    ("custom_ops", "is not part of TensorFlow, so the serving image must bring a library for it"),
)


@cache
def registered_ops() -> frozenset[str]:
    """Return the operations that the recorded TensorFlow release registers."""
    text = files(__package__).joinpath("registered_ops.txt").read_text(encoding="utf-8")
    return _words(text.partition("\n")[2])  # the first line says which release


def refuse_unsafe(contract: Contract, allowed_ops: Iterable[str] = ()) -> None:
    """Refuse a servable whose operations reach outside the graph, but for those that are allowed by name.

    Raises ContractError that names every such operation and what it does.
    """
    allowed = frozenset(allowed_ops)
    found = [
        f"{op} ({reason})" for kind, reason in _REASONS for op in getattr(contract, kind) if op not in allowed
    ]
    if found:
        raise ContractError(
            f"expected a graph that only computes, received {', '.join(found)}; "
            "export the model without them, or list each one you trust in `allowed_ops`"
        )
