"""Which Pulumi CLI is used: the one on PATH when it can do the work, otherwise the one built here.

The user's own CLI is used as it is when it is new enough, brings its Python host, and has the plugins or can
fetch them. Asking takes seconds and sometimes the network, so the answer is kept beside the binaries and
asked again only when that CLI changes.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from toolchain import binaries
from toolchain.binaries import FURTHER_PLUGINS, PLUGINS
from toolchain.folders import Folders
from toolchain.progress import Progress

HOSTS = tuple(f"pulumi-language-{name}" for name in ("python", "yaml", "nodejs", "go"))
OLDEST_VERSION = (3, 259, 0)
FETCH_SECONDS = 120.0


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What was found out about a CLI on PATH."""

    path: str
    modified_ns: int
    usable: bool
    reason: str


def find_usable(folders: Folders, progress: Progress) -> Path | None:
    """Return the user's CLI when it can do the work, asking it at most once."""
    found = on_path(folders)
    if found is None:
        return None
    verdict = remembered(found, folders)
    if verdict is None:
        with progress.step(f"try {found}") as step:
            verdict = _judge(found)
            step.note = "used as it is" if verdict.usable else f"not used: {verdict.reason}"
        _record(folders).parent.mkdir(parents=True, exist_ok=True)
        _record(folders).write_text(json.dumps(asdict(verdict)))
    return found if verdict.usable else None


def on_path(folders: Folders, environment: Mapping[str, str] = os.environ) -> Path | None:
    """Return the first `pulumi` on PATH that is not one of ours."""
    for folder in environment.get("PATH", "").split(os.pathsep):
        candidate = Path(folder or ".") / "pulumi"
        if os.access(candidate, os.X_OK) and not candidate.is_relative_to(folders.cache):
            return candidate
    return None


def remembered(cli: Path, folders: Folders) -> Verdict | None:
    """Return what was found out earlier, unless the CLI has changed since."""
    try:
        verdict = Verdict(**json.loads(_record(folders).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    return verdict if (verdict.path, verdict.modified_ns) == (str(cli), cli.stat().st_mtime_ns) else None


def parse_version(text: str) -> tuple[int, int, int] | None:
    """Read `v3.259.0` or `3.260.1-alpha…`; None when it is something else."""
    found = re.match(r"v?(\d+)\.(\d+)\.(\d+)", text.strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def install_built(folders: Folders) -> None:
    """Lay out what was built here as Pulumi's installer does: hosts beside the CLI, plugins by version."""
    home = folders.pulumi_home
    for name in (
        "pulumi",
        *(host for host in HOSTS if binaries.location(binaries.named(host), folders).exists()),
    ):
        built = binaries.location(binaries.named(name), folders).parent
        for file in built.iterdir():
            _link(file, home / "bin" / file.name)
    for name, version in (PLUGINS | FURTHER_PLUGINS).items():
        plugin = binaries.location(binaries.named(f"pulumi-resource-{name}"), folders)
        if name in FURTHER_PLUGINS and not plugin.exists():
            continue
        _link(plugin, home / "plugins" / f"resource-{name}-v{version}" / plugin.name)


def _link(source: Path, target: Path) -> None:
    """Give a file a second name: no second copy on the disk, and none of Pulumi's warnings about links."""
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    draft.unlink(missing_ok=True)
    draft.hardlink_to(source)
    draft.rename(target)


def _judge(cli: Path) -> Verdict:
    reason = _shortcoming(cli)
    return Verdict(path=str(cli), modified_ns=cli.stat().st_mtime_ns, usable=not reason, reason=reason)


def _shortcoming(cli: Path) -> str:
    """Return why the CLI cannot be used; empty when it can."""
    version = parse_version(_ask(cli, "version").stdout)
    if version is None or version < OLDEST_VERSION:
        return f"{'.'.join(map(str, OLDEST_VERSION))} or newer is needed"
    if not (
        cli.resolve().with_name("pulumi-language-python").exists() or shutil.which("pulumi-language-python")
    ):
        return "it has no Python language host beside it"
    installed = _installed_plugins(cli)
    for name, wanted in PLUGINS.items():
        if (name, wanted) in installed:
            continue
        if _ask(cli, "plugin", "install", "resource", name, f"v{wanted}").returncode != 0:
            return f"it cannot fetch the plugin {name} {wanted}"
    return ""


def _installed_plugins(cli: Path) -> set[tuple[str, str]]:
    listed = _ask(cli, "plugin", "ls", "--json")
    if listed.returncode != 0:
        return set()
    return {
        (each["name"], str(each.get("version", "")).removeprefix("v")) for each in json.loads(listed.stdout)
    }


def _ask(cli: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command, environment = [str(cli), *arguments], os.environ | {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, returncode=124, stdout="", stderr="")


def _record(folders: Folders) -> Path:
    return folders.binaries / "pulumi-on-path.json"
