from pathlib import Path

import pytest

from serving.caching import CacheState
from serving.flags import IGNORED_FLAGS, settings_table
from serving.metrics import Metrics

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_of_settings_is_the_one_in_the_code() -> None:
    assert settings_table() in (DOCS / "serving-settings.md").read_text()


@pytest.mark.parametrize("flag", IGNORED_FLAGS)
def test_every_flag_without_effect_is_listed_with_its_reason(flag: str) -> None:
    assert f"| `--{flag}` | {IGNORED_FLAGS[flag]} |" in (DOCS / "serving-settings.md").read_text()


@pytest.mark.parametrize("state", CacheState, ids=lambda state: state.label)
def test_every_state_of_the_cache_is_explained(state: CacheState) -> None:
    assert f"`{state.label}`" in (DOCS / "serving.md").read_text()


def test_the_page_of_an_idle_server_has_every_metric_that_the_docs_name() -> None:
    import re

    named = set(re.findall(r"`(tfsp_\w+?)(?:_\*)?`", (DOCS / "serving.md").read_text()))
    page = Metrics().page().decode()
    assert [name for name in named if name not in page] == []
