"""Will it fit, and what will it cost: said in preview, from the same numbers that the pods ask with.

Memory is judged by a floor that no pod can live below: the API layer with TensorFlow loaded, the caches at their limits, and the model's
own bytes. A pod under it would be killed while it loads, minutes after `up` began.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from components.config import ClusterConfig, PricesConfig, ServedModel
from components.errors import ConfigError
from components.plan import (
    canary_bounds,
    gateway_resources,
    pod_resources,
    replica_bounds,
    serving_settings,
    typical_replicas,
)

_RUNTIME_MIB: Final = 112
"""Most memory that a container without a large model was charged: 105 MiB with 2.21 on CPU; of the libraries only what cannot be dropped."""
_MIB: Final = 1 << 20
_HOURS_PER_MONTH: Final = 730


Whole: TypeAlias = tuple[int, int, int]
"""At the fewest, on an ordinary day, and at the most."""
Real: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Resources and cost of one model at its fewest pods, on an ordinary day, and at its most pods; its canary's are included."""

    pods: Whole
    cpu_cores: Real
    memory_gib: Real
    gpus: Whole
    cost_per_month: Real | None
    """In the currency of the prices; None where no price is known."""

    def sentence(self) -> str:
        """Say it in a line."""
        gpus = f", {_range(self.gpus)} GPUs" if self.gpus[-1] else ""
        cost = f"; {_range(self.cost_per_month)} a month" if self.cost_per_month else ""
        if self.cost_per_month and self.pods[0] < self.pods[-1]:
            cost += f", {self.cost_per_month[1]:g} at {self.pods[1]} pods"
        return f"{_range(self.pods)} pods: {_range(self.cpu_cores)} cores, {_range(self.memory_gib)} GiB{gpus}{cost}"

    def facts(self) -> dict[str, Any]:
        """Return it as a stack output."""
        facts = {name: list(value) for name, value in vars(self).items() if value is not None}
        return {**facts, "at": ["fewest", "typical", "most"]}


def forecast(served: ServedModel, prices: PricesConfig) -> Forecast:
    """Return what the model asks of the cluster, and what that costs by the hour prices of the stack."""
    (fewest, most), canary = replica_bounds(served), canary_bounds(served)
    pods = fewest + canary[0], typical_replicas(served) + canary[0], most + canary[1]
    millicores, mebibytes = pod_resources(served)
    cpu_cores, memory_gib = millicores / 1_000, mebibytes / 1_024
    micros_per_hour = (
        cpu_cores * prices.cpu_core_hour_micros
        + memory_gib * prices.memory_gib_hour_micros
        + served.gpu.count * prices.gpu_hour_micros
    )
    cost_per_month = micros_per_hour * _HOURS_PER_MONTH / 1_000_000
    return Forecast(
        pods=pods,
        cpu_cores=_each(cpu_cores, pods),
        memory_gib=_each(memory_gib, pods),
        gpus=(served.gpu.count * pods[0], served.gpu.count * pods[1], served.gpu.count * pods[2]),
        cost_per_month=_each(cost_per_month, pods) if micros_per_hour else None,
    )


def start_sentence(served: ServedModel, cluster: ClusterConfig, *, model_bytes: int) -> str:
    """Say how long a new pod takes until it answers: on a node that has the runtime, and at the most."""
    pull_seconds, load_seconds = served.rollout.pull_seconds, served.model.load_seconds
    longest = f"a new pod answers within {pull_seconds + load_seconds} s (rollout.pullSeconds and model.loadSeconds)"
    if not cluster.pull_mib_per_second:
        return longest
    model_seconds = math.ceil(_mebibytes(model_bytes) / cluster.pull_mib_per_second)
    if model_seconds > pull_seconds:
        return (
            f"{longest}, but {_mebibytes(model_bytes)} MiB of model alone take {model_seconds} s to pull at cluster.pullMibPerSecond; raise "
            "rollout.pullSeconds"
        )
    return f"{longest}; where a node has the runtime, {model_seconds} s of pulling the model and its load"


def check_memory(served: ServedModel, *, model_bytes: int) -> None:
    """Raise ConfigError when the pods' memory is below the floor that the model needs."""
    settings = serving_settings(served)
    cache_mib = _mebibytes(settings.output_cache_bytes + settings.input_cache_bytes)
    needed = {f"{_RUNTIME_MIB} for TensorFlow and the API layer": _RUNTIME_MIB}
    caches, model = {f"{cache_mib} for caches": cache_mib}, _mebibytes(model_bytes)
    of_model = {f"{model} for the model": model}
    if served.has_upstream:
        # Each half is charged the whole runtime: TensorFlow in the one, Python in the other.
        _check_floor(
            served, "upstream.gatewayMemoryMib", gateway_resources(served).memory_mib, {**needed, **caches}
        )
        _check_floor(served, "resources.memoryMib", served.resources.memory_mib, {**needed, **of_model})
    else:
        _check_floor(
            served, "resources.memoryMib", served.resources.memory_mib, {**needed, **caches, **of_model}
        )


def _check_floor(served: ServedModel, key: str, given_mib: int, needed: Mapping[str, int]) -> None:
    floor_mib = sum(needed.values())
    if given_mib < floor_mib:
        raise ConfigError(
            f"{key} of model {served.model.name} must be at least {floor_mib}, got {given_mib}: {', '.join(needed)}; "
            "raise it, or make the caches smaller in server.settings"
        )


def _mebibytes(size_bytes: int) -> int:
    return -(-size_bytes // _MIB)


def _each(one: float, pods: Whole) -> Real:
    return round(one * pods[0], 2), round(one * pods[1], 2), round(one * pods[2], 2)


def _range(bounds: Whole | Real) -> str:
    low, high = f"{bounds[0]:g}", f"{bounds[-1]:g}"
    return low if low == high else f"{low} to {high}"
