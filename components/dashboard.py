"""A Grafana dashboard of one model: what clients notice at the top, then the queue, then what the server does about it.

Plain JSON, in the schema that Grafana exports (version 39, Grafana 11), without a data source of its own: the viewer chooses the Prometheus.
A ConfigMap with the label that Grafana's sidecar looks for brings it there.
"""

import json
from typing import Any, Final

LABELS: Final = {"grafana_dashboard": "1"}
"""What the sidecar of Grafana's chart selects, by its default."""
_SCHEMA_VERSION: Final = 39
_COLUMNS, _WIDTH, _HEIGHT = 2, 12, 8
_WINDOW: Final = "$__rate_interval"

Series = dict[str, str]
"""Legend -> PromQL."""


def dashboard(*, namespace: str, model: str, instance: str) -> str:
    """Return the dashboard as JSON; equal arguments give equal text."""
    of = f'namespace="{namespace}",model="{model}"'
    panels = [_panel(number, title, unit, series) for number, (title, unit, series) in enumerate(_panels(of))]
    content = {
        "uid": instance[:40],
        "title": f"Model {model}",
        "tags": ["tf-serving"],
        "schemaVersion": _SCHEMA_VERSION,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [{"name": "datasource", "type": "datasource", "query": "prometheus"}]},
        "panels": panels,
    }
    return json.dumps(content, indent=2, sort_keys=True) + "\n"


def _panels(of: str) -> list[tuple[str, str, Series]]:
    seconds = f"sum by (le) (rate(tfsp_request_seconds_bucket{{{of}}}[{_WINDOW}]))"
    lookups = f"tfsp_output_cache_lookups_total{{{of}}}"
    return [
        (
            "Requests by status",
            "reqps",
            {"{{code}}": f"sum by (code) (rate(tfsp_requests_total{{{of}}}[{_WINDOW}]))"},
        ),
        (
            "Time to answer",
            "s",
            {f"p{share}": f"histogram_quantile({share / 100:g}, {seconds})" for share in (50, 95, 99)},
        ),
        ("Waiting requests", "short", {"{{pod}}": f"sum by (pod) (tfsp_queue_requests{{{of}}})"}),
        (
            "Requests in flight",
            "short",
            {"all pods": f"sum(rate(tfsp_request_seconds_sum{{{of}}}[{_WINDOW}]))"},
        ),
        (
            "Rows in a call of the model",
            "short",
            {
                "mean": f"sum(rate(tfsp_batch_rows_sum{{{of}}}[{_WINDOW}])) / sum(rate(tfsp_batch_rows_count{{{of}}}[{_WINDOW}]))"
            },
        ),
        (
            "Time of a call of the model",
            "s",
            {
                "mean": f"sum(rate(tfsp_run_seconds_sum{{{of}}}[{_WINDOW}])) / sum(rate(tfsp_run_seconds_count{{{of}}}[{_WINDOW}]))"
            },
        ),
        (
            "Looked up among kept answers",
            "reqps",
            {"{{result}}": f"sum by (result) (rate({lookups}[{_WINDOW}]))"},
        ),
        (
            "Pods by version that answers",
            "short",
            {"version {{version}}": f"count by (version) (tfsp_model_version_state{{{of}}} == 30)"},
        ),
    ]


def _panel(number: int, title: str, unit: str, series: Series) -> dict[str, Any]:
    source = {"type": "prometheus", "uid": "${datasource}"}
    row, column = divmod(number, _COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": source,
        "gridPos": {"h": _HEIGHT, "w": _WIDTH, "x": column * _WIDTH, "y": row * _HEIGHT},
        "fieldConfig": {"defaults": {"unit": unit, "min": 0}, "overrides": []},
        "targets": [
            {"refId": chr(ord("A") + index), "datasource": source, "expr": expression, "legendFormat": legend}
            for index, (legend, expression) in enumerate(series.items())
        ],
    }
