"""Will it fit, and what will it cost: said in preview, from the same numbers that the pods ask with.

Memory is judged by a floor that no pod can live below: the API layer with TensorFlow loaded, the caches at their limits, and the model's
own bytes. A pod under it would be killed while it loads, minutes after `up` began.
"""

from dataclasses import dataclass
from typing import Any, Final

from components.config import PricesConfig, ServedModel
from components.errors import ConfigError
from components.plan import canary_bounds, replica_bounds, serving_settings

_RUNTIME_MIB: Final = 112
"""Most memory that a container without a large model was charged: 105 MiB with 2.21 on CPU; of the libraries only what cannot be dropped."""
_MIB: Final = 1 << 20
_HOURS_PER_MONTH: Final = 730


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Resources and cost of one model at its fewest and its most pods."""

    pods: tuple[int, int]
    cpu_cores: tuple[float, float]
    memory_gib: tuple[float, float]
    gpus: tuple[int, int]
    cost_per_month: tuple[float, float] | None
    """In the currency of the prices; None where no price is known."""

    def sentence(self) -> str:
        """Say it in a line."""
        gpus = f", {_range(self.gpus)} GPUs" if self.gpus[1] else ""
        cost = f"; {_range(self.cost_per_month)} a month" if self.cost_per_month else ""
        return f"{_range(self.pods)} pods: {_range(self.cpu_cores)} cores, {_range(self.memory_gib)} GiB{gpus}{cost}"

    def facts(self) -> dict[str, Any]:
        """Return it as a stack output."""
        facts = {name: list(value) for name, value in vars(self).items() if value is not None}
        return {**facts, "at": ["fewest", "most"]}


def forecast(served: ServedModel, prices: PricesConfig) -> Forecast:
    """Return what the model asks of the cluster, and what that costs by the hour prices of the stack."""
    stable, canary = replica_bounds(served), canary_bounds(served)
    pods = stable[0] + canary[0], stable[1] + canary[1]
    cpu_cores, memory_gib = served.resources.cpu_millicores / 1_000, served.resources.memory_mib / 1_024
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
        gpus=(served.gpu.count * pods[0], served.gpu.count * pods[1]),
        cost_per_month=_each(cost_per_month, pods) if micros_per_hour else None,
    )


def check_memory(served: ServedModel, *, model_bytes: int) -> None:
    """Raise ConfigError when the pods' memory is below the floor that the model needs."""
    settings = serving_settings(served)
    cache_bytes = settings.output_cache_bytes + settings.input_cache_bytes
    floor_mib = _RUNTIME_MIB + -(-(cache_bytes + model_bytes) // _MIB)
    if served.resources.memory_mib < floor_mib:
        raise ConfigError(
            f"resources.memoryMib of model {served.model.name} must be at least {floor_mib}, got {served.resources.memory_mib}: "
            f"{_RUNTIME_MIB} for TensorFlow and the API layer, {cache_bytes // _MIB} for caches, {-(-model_bytes // _MIB)} for the model; "
            "raise it, or make the caches smaller in server.settings"
        )


def _each(one: float, pods: tuple[int, int]) -> tuple[float, float]:
    return round(one * pods[0], 2), round(one * pods[1], 2)


def _range(bounds: tuple[float, float]) -> str:
    low, high = (f"{bound:g}" for bound in bounds)
    return low if low == high else f"{low} to {high}"
