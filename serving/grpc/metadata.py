"""GetModelMetadata and GetModelStatus: what a model is, and where its versions stand."""

from serving.errors import InvalidRequest
from serving.grpc.specs import parse_message, resolve
from serving.protos import get_model_metadata_pb2, get_model_status_pb2
from serving.repository import Repository, VersionStatus

_SIGNATURES = "signature_def"
"""The one kind of metadata there is (tensorflow_serving/servables/tensorflow/get_model_metadata_impl.cc)."""
_UNKNOWN_ERROR = 2


def model_metadata(repository: Repository, message: bytes) -> bytes:
    """A serialized GetModelMetadataResponse. Raises InvalidRequest, NotFound."""
    request = parse_message(get_model_metadata_pb2.GetModelMetadataRequest, message)
    if not request.HasField("model_spec"):
        raise InvalidRequest("Missing ModelSpec")
    if not request.metadata_field:
        raise InvalidRequest("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != _SIGNATURES:
            raise InvalidRequest(f"Metadata field {field[:100]} is not supported")
    servable = resolve(repository, request.model_spec)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = servable.name
    response.model_spec.version.value = servable.version
    signatures = get_model_metadata_pb2.SignatureDefMap(
        signature_def=servable.session.meta_graph.signature_def
    )
    response.metadata[_SIGNATURES].Pack(signatures)
    serialized: bytes = response.SerializeToString()
    return serialized


def model_status(repository: Repository, message: bytes) -> bytes:
    """A serialized GetModelStatusResponse. Raises InvalidRequest, NotFound."""
    request = parse_message(get_model_status_pb2.GetModelStatusRequest, message)
    if not request.HasField("model_spec"):
        raise InvalidRequest("Missing ModelSpec")
    spec = request.model_spec
    version = spec.version.value if spec.HasField("version") else None
    if spec.version_label:
        version = repository.version_of(spec.name, spec.version_label)
    response = get_model_status_pb2.GetModelStatusResponse(
        model_version_status=[_version(status) for status in repository.statuses(spec.name, version)]
    )
    serialized: bytes = response.SerializeToString()
    return serialized


def _version(status: VersionStatus) -> get_model_status_pb2.ModelVersionStatus:
    written = get_model_status_pb2.ModelVersionStatus(version=status.version, state=int(status.state))
    written.status.error_code = _UNKNOWN_ERROR if status.error else 0
    written.status.error_message = status.error
    return written
