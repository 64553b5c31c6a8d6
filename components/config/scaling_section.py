"""The keys of one model's scaling: bounds, what is measured, by whom, and how patient it is."""

from dataclasses import dataclass
from typing import ClassVar

from components.config.fields import check_limits, setting


@dataclass(frozen=True, kw_only=True)
class AutoscalingConfig:
    """How the number of pods follows the load."""

    SECTION: ClassVar[str] = "autoscaling"

    enabled: bool = setting(default=True, doc="Let an autoscaler own the number of pods.")
    scaler: str = setting(
        "hpa",
        "Who scales: hpa (a HorizontalPodAutoscaler of our own) or keda (a ScaledObject; KEDA makes the HorizontalPodAutoscaler).",
        choices=("hpa", "keda"),
    )
    min_replicas: int = setting(1, "Fewest pods.", minimum=1, maximum=5_000)
    max_replicas: int = setting(3, "Most pods.", minimum=1, maximum=5_000)
    typical_replicas: int = setting(
        0,
        "Pods on an ordinary day, for the forecast; 0 for the middle of the bounds.",
        minimum=0,
        maximum=5_000,
    )
    cpu_percent: int = setting(
        70,
        "CPU use, in percent of the request, that pods are added above; 0 to leave CPU out.",
        minimum=0,
        maximum=1_000,
    )
    in_flight_requests: int = setting(
        0,
        "Requests that a pod answers at once, on average, that pods are added above; 0 to leave them out.",
        minimum=0,
        maximum=1_000_000,
    )
    queue_wait_milliseconds: int = setting(
        0,
        "Time that a request waits for the model, on average, that pods are added above; 0 to leave it out.",
        minimum=0,
        maximum=3_600_000,
    )
    prometheus_url: str = setting(
        "",
        "Prometheus that KEDA asks, such as `http://prometheus.monitoring:9090`.",
        pattern=(
            r"https?://[^\s/@]+(/\S*)?",
            "an address such as `http://prometheus.monitoring:9090`, without a password",
        ),
    )
    scale_up_seconds: int = setting(
        0,
        "The load must last this long before pods are added; 0 to compute it from model.loadSeconds.",
        minimum=0,
        maximum=3_600,
    )
    scale_down_seconds: int = setting(
        0,
        "The load must be gone this long before pods are removed; 0 to compute it from model.loadSeconds.",
        minimum=0,
        maximum=3_600,
    )

    def __post_init__(self) -> None:
        check_limits(self, self.SECTION)
