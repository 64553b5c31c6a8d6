"""The numbers of the live panel, out of the metrics that are kept anyway.

Prometheus' histograms count cumulatively, up to and including each limit; a person wants to see how many batches had which size.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping

from serving.metrics import Metrics

_UNLIMITED = "+Inf"


def request_totals(metrics: Metrics) -> Mapping[str, Mapping[str, int]]:
    """Answered requests by model and status, such as `{"mnist": {"200": 12, "OK": 3}}`: REST and gRPC name theirs differently."""
    totals: dict[str, Counter[str]] = defaultdict(Counter)
    for family in metrics.requests.collect():
        for sample in family.samples:
            if sample.name == "tfsp_requests_total":
                totals[sample.labels["model"]][sample.labels["code"]] += int(sample.value)
    return totals


def batch_sizes(metrics: Metrics) -> Mapping[str, Mapping[str, int]]:
    """Calls of the model by the most rows they had, such as `{"mnist": {"1": 12, "4": 3}}`; sizes without calls are left out."""
    sizes: dict[str, dict[str, int]] = defaultdict(dict)
    seen: Counter[str] = Counter()
    for family in metrics.batch_rows.collect():
        for sample in family.samples:
            if not sample.name.endswith("_bucket"):
                continue
            model, limit = sample.labels["model"], sample.labels["le"]
            calls = int(sample.value) - seen[model]
            seen[model] = int(sample.value)
            if calls:
                sizes[model]["more" if limit == _UNLIMITED else str(int(float(limit)))] = calls
    return sizes
