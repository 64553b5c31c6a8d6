"""TensorFlow Serving as a sidecar: reached by the API layer alone, told everything by typed settings, and gone when it is asked to go."""

import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pulumi
import pytest
from google.protobuf import text_format
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from components import naming
from components.upstream import SOCKET
from components.upstream_flags import UpstreamFlags
from serving.settings import ServingSettings
from tests.components.declared import Program
from tests.components.examples import TENSORFLOW_SERVING, UPSTREAM
from tests.components.reachability import Place, reaches
from tests.components.test_platform import deploy


def deployed(**upstream: Any) -> Program:
    return deploy(**{**UPSTREAM, "upstream": {**UPSTREAM["upstream"], **upstream}})


def pod(program: Program) -> dict[str, Any]:
    return program.one("Deployment").inputs["spec"]["template"]["spec"]


def sidecar(program: Program) -> dict[str, Any]:
    (found,) = pod(program)["initContainers"]
    return found


def flags(program: Program) -> dict[str, str]:
    return dict(re.fullmatch(r"--(\w+)=(.*)", word).groups() for word in sidecar(program)["args"])


def files(program: Program) -> dict[str, str]:
    return program.one("ConfigMap").inputs["data"]


def test_the_sidecar_outlives_the_api_layer_and_starts_before_it():
    (gateway,) = pod(deployed())["containers"]
    assert sidecar(deployed())["restartPolicy"] == "Always"
    assert gateway["name"] == "server"
    assert "restartPolicy" not in gateway


def test_the_model_is_a_layer_on_the_official_server_and_the_api_layer_has_none():
    program = deployed()
    _, model = program.all("Image")
    assert model.inputs["buildArgs"]["RUNTIME_IMAGE"] == TENSORFLOW_SERVING
    assert sidecar(program)["image"] == program.outputs["image"]
    assert pod(program)["containers"][0]["image"] == program.outputs["runtime_images"]["cpu"]


def test_the_api_layer_reads_where_its_upstream_is_and_looks_for_no_model():
    env = {each["name"]: each["value"] for each in pod(deployed())["containers"][0]["env"]}
    settings = ServingSettings.from_env(env)
    assert (settings.upstream_grpc, settings.upstream_rest) == (f"unix:{SOCKET}", "127.0.0.1:8511")
    assert (settings.model_name, settings.model_base_path) == ("mnist", "")
    only_grpc = {each["name"] for each in pod(deployed(rest=False))["containers"][0]["env"]}
    assert "TFSP_UPSTREAM_REST" not in only_grpc


def test_the_socket_is_on_a_volume_that_both_mount():
    program = deployed()
    mounts = [
        {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
        for container in (sidecar(program), pod(program)["containers"][0])
    ]
    assert {each["upstream"] for each in mounts} == {str(Path(SOCKET).parent)}
    assert flags(program)["grpc_socket_path"] == SOCKET
    volume = next(each for each in pod(program)["volumes"] if each["name"] == "upstream")
    assert volume["emptyDir"] == {"medium": "Memory", "sizeLimit": "1Mi"}


def test_no_door_leads_to_it():
    program = deployed()
    assert "ports" not in sidecar(program)
    assert {port["name"] for port in program.one("Service").inputs["spec"]["ports"]} == {"rest", "grpc"}
    assert (flags(program)["port"], flags(program)["enable_profiler"]) == ("0", "false")
    policies = [each.inputs for each in program.all("NetworkPolicy")]
    mnist = Place(namespace="tf-serving", labels=naming.selector("mnist"))
    for source in (Place(namespace="shop"), Place(namespace="monitoring"), Place()):
        assert not reaches(source, mnist, 8511, policies)
        assert not reaches(source, mnist, 8510, policies)


def test_its_metrics_are_open_to_monitoring_alone_and_only_when_asked_for():
    program = deployed(metrics=True)
    policies = [each.inputs for each in program.all("NetworkPolicy")]
    mnist = Place(namespace="tf-serving", labels=naming.selector("mnist"))
    assert reaches(Place(namespace="monitoring"), mnist, 8511, policies)
    assert not reaches(Place(namespace="shop"), mnist, 8511, policies)
    assert files(program)["monitoring.config"] == (
        'prometheus_config {\n  enable: true\n  path: "/monitoring/prometheus/metrics"\n}\n'
    )
    assert flags(program)["monitoring_config_file"] == "/etc/tfs/monitoring.config"
    assert "monitoring_config_file" not in flags(deployed())


def test_one_version_is_pinned_and_labelled():
    config = text_format.Parse(files(deployed())["models.config"], ModelServerConfig())
    (model,) = config.model_config_list.config
    assert (model.name, model.base_path, model.model_platform) == ("mnist", "/models/mnist", "tensorflow")
    assert list(model.model_version_policy.specific.versions) == [7]
    assert dict(model.version_labels) == {"stable": 7}


def test_every_file_that_a_flag_names_is_there_and_every_file_has_its_flag():
    for program in (deployed(), deployed(metrics=True), deployed(batching=False, rest=False)):
        named = {
            Path(path).name
            for name, path in flags(program).items()
            if name.endswith("_file") and path.startswith("/etc/tfs/")
        }
        assert named == set(files(program))


def test_a_change_of_the_configuration_is_another_immutable_map_and_another_pod():
    before, after = deployed(), deployed(maxBatchRows=32)
    names = [each.one("ConfigMap").inputs["metadata"]["name"] for each in (before, after)]
    assert names[0] != names[1]
    for program, name in zip((before, after), names, strict=True):
        assert program.one("ConfigMap").inputs["immutable"] is True
        volume = next(each for each in pod(program)["volumes"] if each["name"] == "upstream-config")
        assert volume["configMap"] == {"name": name}


def test_threads_follow_from_the_pods_share_and_not_from_the_node():
    program = deploy(**UPSTREAM, resources={"cpuMillicores": 3_500})
    found = flags(program)
    assert found["tensorflow_intra_op_parallelism"] == found["tensorflow_inter_op_parallelism"] == "4"
    assert found["grpc_max_threads"] == "128"
    batching = files(program)["batching.config"]
    assert "num_batch_threads {\n  value: 4\n}" in batching
    assert "max_enqueued_batches {\n  value: 8\n}" in batching


@pytest.mark.parametrize(
    ("rows", "sizes"), [(1, [1]), (2, [1, 2]), (48, [1, 2, 4, 8, 16, 32, 48]), (64, [1, 2, 4, 8, 16, 32, 64])]
)
def test_padded_batches_have_sizes_that_rise_to_the_largest(rows, sizes):
    text = files(deployed(maxBatchRows=rows, padBatches=True))["batching.config"]
    assert [int(found) for found in re.findall(r"allowed_batch_sizes: (\d+)", text)] == sizes


@pytest.mark.parametrize(
    ("percent", "fraction", "grows"), [(0, "0.0", True), (40, "0.4", False)], ids=["grows", "share"]
)
def test_gpus_belong_to_the_sidecar(percent, fraction, grows):
    program = deploy(**UPSTREAM, gpu={"count": 1, "memoryPercent": percent})
    (gateway,) = pod(program)["containers"]
    assert sidecar(program)["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert "nvidia.com/gpu" not in gateway["resources"]["limits"]
    assert {"name": "NVIDIA_VISIBLE_DEVICES", "value": "void"} in gateway["env"]
    assert flags(program)["per_process_gpu_memory_fraction"] == fraction
    assert ({"name": "TF_FORCE_GPU_ALLOW_GROWTH", "value": "true"} in sidecar(program)["env"]) is grows
    assert set(program.outputs["runtime_images"]) == {"cpu"}


def test_both_containers_are_in_the_forecast_and_have_a_floor():
    sizes = {"resources": {"cpuMillicores": 1_500, "memoryMib": 2_048}}
    upstream = {**UPSTREAM["upstream"], "gatewayCpuMillicores": 500, "gatewayMemoryMib": 1_024}
    facts = deploy(**{**UPSTREAM, **sizes, "upstream": upstream}).outputs["forecast"]
    assert (facts["cpu_cores"], facts["memory_gib"]) == ([2, 4, 6], [3, 6, 9])
    caches = {**UPSTREAM["server"], "settings": {"output_cache_bytes": 1 << 30}}
    with pytest.raises(
        pulumi.RunError, match=r"upstream.gatewayMemoryMib of model mnist must be at least 1136"
    ):
        deploy(**{**UPSTREAM, "server": caches})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"port": 8511, "rest_api_port": 8511}, "must differ, got 8511 for both"),
        ({"enable_batching": False, "batching_parameters_file": "/b"}, "needs enable_batching"),
        ({"monitoring_config_file": "/m"}, "needs rest_api_port"),
    ],
    ids=["equal ports", "file without batching", "metrics without a port"],
)
def test_what_the_server_would_stop_at_is_refused_before(changes, reason):
    fitting = {
        "grpc_socket_path": SOCKET,
        "model_config_file": "/c",
        "enable_batching": True,
        "enable_model_warmup": True,
        "grpc_max_threads": 4,
        "tensorflow_intra_op_parallelism": 1,
        "tensorflow_inter_op_parallelism": 1,
    }
    assert UpstreamFlags(**fitting).words()
    with pytest.raises(pulumi.RunError, match=reason):
        UpstreamFlags(**{**fitting, **changes})


@pytest.fixture
def started(tmp_path: Path):
    """The sidecar's own command, with a stand-in for the server that shows its arguments and ignores nothing."""
    (tmp_path / "tensorflow_model_server").write_text(
        '#!/bin/sh\nprintf "%s\\n" "$@" "socket: $(ls "$SOCKET" 2>/dev/null)" ready\nexec sleep 60\n'
    )
    (tmp_path / "tensorflow_model_server").chmod(0o755)
    (tmp_path / "grpc.sock").write_text("left by a former run")
    *shell, _ = sidecar(deployed())["command"]
    process = subprocess.Popen(
        [*shell, str(tmp_path / "grpc.sock"), "--model_name=a b; touch /never", "--port=0"],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin", "SOCKET": str(tmp_path / "grpc.sock")},
        stdout=subprocess.PIPE,
        text=True,
    )
    yield process
    process.kill()
    process.communicate()


def test_the_command_passes_flags_as_they_are_and_sigterm_ends_the_server(started: subprocess.Popen[str]):
    lines = [started.stdout.readline().rstrip("\n") for _ in range(4)]
    assert lines == ["--model_name=a b; touch /never", "--port=0", "socket: ", "ready"]
    started.send_signal(signal.SIGTERM)
    assert started.wait(timeout=20) in {128 + signal.SIGTERM, -signal.SIGTERM}
