"""docs/components.md and the pages below it name every component and every output of a stack."""

import dataclasses
import inspect
import re
from pathlib import Path

import pulumi
import pytest
import yaml

from components import (
    autoscaling,
    console,
    exposure,
    images,
    model_endpoint,
    model_server,
    observability,
    platform,
    pod,
    scaling,
)
from serving.metrics import Metrics
from tests.components.declared import declare
from tests.components.test_platform import deploy

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [DOCS / "components.md", *sorted((DOCS / "components").glob("*.md"))]
TEXT = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
MODULES = (autoscaling, console, exposure, images, model_endpoint, model_server, observability, platform)
COMPONENTS = sorted(
    name
    for module in MODULES
    for name, value in vars(module).items()
    if inspect.isclass(value)
    and issubclass(value, pulumi.ComponentResource)
    and value.__module__ == module.__name__
)


@pytest.mark.parametrize("component", COMPONENTS)
def test_every_component_is_described(component: str):
    assert component in TEXT


def _arguments() -> list[str]:
    return [
        f"{name}.{field.name}"
        for module in (*MODULES, pod)
        for name, value in vars(module).items()
        if name.endswith("Args") and dataclasses.is_dataclass(value) and value.__module__ == module.__name__
        for field in dataclasses.fields(value)
    ]


@pytest.mark.parametrize("argument", _arguments())
def test_every_argument_is_described(argument: str):
    assert f"`{argument.partition('.')[2]}`" in TEXT


EXAMPLES = {
    page.stem: block
    for page in PAGES[1:]
    for block in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
}


@pytest.mark.parametrize("page", EXAMPLES)
def test_every_example_declares_what_its_page_is_about(page: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(DOCS.parent)
    program = compile(EXAMPLES[page], f"docs/components/{page}.md", "exec")
    declared = declare(lambda: exec(program, {}))
    assert any(not each.type.startswith("tfserving:") for each in declared.resources)


def test_every_page_has_a_picture_and_an_example():
    for page in PAGES[1:]:
        text = page.read_text(encoding="utf-8")
        assert re.search(r"^```text\n", text, re.MULTILINE), f"{page.name} has no picture"
        assert re.search(r"^```(python|yaml|sh)\n", text, re.MULTILINE), f"{page.name} has no example"


def test_every_output_is_described():
    assert [name for name in deploy().outputs if f"`{name}`" not in TEXT] == []


def test_the_adapters_rules_are_for_the_names_that_the_autoscaler_asks_for_and_of_series_that_there_are():
    rules = yaml.safe_load(re.search(r"```yaml\n(rules:.*?)```", TEXT, re.DOTALL)[1])["rules"]
    assert {rule["name"]["as"] for rule in rules} == {scaling.IN_FLIGHT_METRIC, scaling.QUEUE_WAIT_METRIC}
    described = set(re.findall(r"^# TYPE (\w+)", Metrics().page().decode(), flags=re.MULTILINE))
    queries = " ".join(rule["seriesQuery"] + rule["metricsQuery"] for rule in rules)
    assert {re.sub(r"_sum$", "", name) for name in re.findall(r"tfsp_\w+", queries)} <= described
    assert queries.count(f"[{scaling.WINDOW}]") == 3


def test_every_alert_is_described():
    sections = {"observability": {"alerts": True}, "canary": {"source": "build/next", "weightPercent": 50}}
    rules = deploy(**sections).one("PrometheusRule").inputs["spec"]["groups"][0]["rules"]
    assert [rule["alert"] for rule in rules if rule["alert"].removesuffix("Slow") not in TEXT] == []
