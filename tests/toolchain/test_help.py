import subprocess

from toolchain.folders import CHECKOUT


def test_help_lists_every_script_with_its_job() -> None:
    printed = subprocess.run([CHECKOUT / "bin/help"], capture_output=True, text=True, check=True).stdout
    for script in (CHECKOUT / "bin").iterdir():
        job = script.read_text().splitlines()[1].removeprefix("# ")
        assert any(f"bin/{script.name}" in line and line.endswith(job) for line in printed.splitlines()), (
            script.name
        )
