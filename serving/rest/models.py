"""`GET /v1/models/NAME` and `/metadata`: what TensorFlow Serving prints of its protobuf answers."""

import orjson
from google.protobuf.json_format import MessageToDict

from serving.protos import get_model_metadata_pb2
from serving.repository import Servable, VersionStatus

# tensorflow/core/protobuf/error_codes.proto
_OK, _UNKNOWN = "OK", "UNKNOWN"


def status_document(statuses: list[VersionStatus]) -> bytes:
    """`{"model_version_status": [...]}`; numbers of 64 bits are text, as protobuf prints them."""
    return _dump({"model_version_status": [_version(status) for status in statuses]})


def _version(status: VersionStatus) -> dict[str, object]:
    return {
        "version": str(status.version),
        "state": status.state.name,
        "status": {"error_code": _UNKNOWN if status.error else _OK, "error_message": status.error},
    }


def metadata_document(servable: Servable) -> bytes:
    """`{"model_spec": ..., "metadata": {"signature_def": ...}}`."""
    signatures = get_model_metadata_pb2.SignatureDefMap(
        signature_def=servable.session.meta_graph.signature_def
    )
    printed = MessageToDict(
        signatures, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    return _dump(
        {
            "model_spec": {"name": servable.name, "signature_name": "", "version": str(servable.version)},
            "metadata": {"signature_def": printed},
        }
    )


def _dump(document: dict[str, object]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)
