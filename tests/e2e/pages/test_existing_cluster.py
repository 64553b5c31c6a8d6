"""A cluster and a registry that are there already are used as they are: what the README and a tutorial say of it, read to the letter."""

from typing import Any

import pytest
import yaml

from tests.docs.pages import CLUSTER, blocks_of, reading
from tests.e2e.commands import ROOT, run
from tests.e2e.pages.conftest import Tutorial
from tests.e2e.settings import changed, stack_outputs

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(1200), pytest.mark.usefixtures("my_cluster")]

STACK = "context-my-cluster"


def test_an_existing_cluster_gets_a_stack_of_its_own_for_the_example_and_for_a_model_of_ones_own(
    outputs: dict[str, Any], tutorial: Tutorial
) -> None:
    replace = {
        "registry.example.com/team": "127.0.0.1:5000/tf-serving-platform",
        "build/tutorial": str(tutorial.folder),
        "prod": "local",
    }
    try:
        with reading("README.md#Your cluster, your registry", needs=(CLUSTER,), replace=replace) as page:
            assert "Inference error rate: 8.8%" in page.next()
        assert stack_outputs(STACK)["model_digest"] == outputs["model_digest"]
        with reading("docs/tutorials/existing-cluster.md", needs=(CLUSTER,), replace=replace) as page:
            page.next()
            with changed(its_own_model(tutorial), STACK):
                assert "points" in page.next()
                assert stack_outputs(STACK)["models"]["points"]["model_version"] == 1
                with reading("docs/status.md", needs=(CLUSTER,), replace=replace) as status:
                    assert status.next().count("All is well.") == 3
                with reading("docs/tutorials/gpu.md", needs=(CLUSTER,)) as status:
                    assert "All is well." in status.next()
                page.next()
    finally:
        run("bin/down", "--context", "my-cluster", check=False)
        run("bin/pulumi", "stack", "rm", STACK, "--yes", check=False)
        (ROOT / f"Pulumi.{STACK}.yaml").unlink(missing_ok=True)


def its_own_model(tutorial: Tutorial) -> Any:
    first, *_ = [
        block for block in blocks_of("docs/tutorials/existing-cluster.md") if block.language == "yaml"
    ]
    section = yaml.safe_load(first.text.replace("build/tutorial", str(tutorial.folder)))["config"]

    def change(sections: dict[str, Any]) -> None:
        sections["model"] = section["tf-serving-platform:model"]

    return change
