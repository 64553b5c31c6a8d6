"""What docs/export.md tells people to type works as it stands there, and prints what it says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[2]


def test_the_commands_of_the_export_page_run_in_their_order_and_print_what_it_says(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "export.md").read_text()
    (script,) = re.findall(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (promised,) = re.findall(r"^The second line prints\n\n((?:    .*\n)+)", page, re.MULTILINE)
    printed = []
    for line in script.replace("\\\n", " ").replace("build/", f"{tmp_path}/").splitlines():
        program, *words = shlex.split(line)
        assert program == "python"
        done = subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout.replace(f"{tmp_path}/", "build/"))

    assert [each.strip() for each in promised.splitlines()] == printed[1].splitlines()[:5]
    assert printed[2].startswith("Equal: 3 batches")
    assert printed[3].startswith("top_5 0.99")
