"""`bin/setup`: from a checkout to a machine on which every command of the project works.

Each step finds out first whether there is anything to do, so a second run takes a moment. Nothing in the
checkout is written; what is made is in the cache, keyed by what it was made from.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from toolchain import (
    base_images,
    binaries,
    build,
    debian,
    definitions,
    environment,
    locks,
    pulumi_cli,
    virtualenvs,
)
from toolchain.errors import BuildFailed, MissingRequirement
from toolchain.folders import CHECKOUT, PRODUCT, Folders
from toolchain.progress import Progress

FIRST_STACK = "local"
REACH_SECONDS = "10s"


@dataclass(frozen=True, kw_only=True)
class Scope:
    """How much to set up."""

    context: str | None = None
    """Kubernetes context of a cluster that the user has: the local one is then not needed."""
    only_virtual_environments: bool = False
    with_browser: bool = False
    """Whether tests are to open the console, and to run programs in TypeScript."""
    with_docker_host: bool = False
    """Whether stacks on a plain Docker host are to be previewed and applied."""
    with_stand_in_nodes: bool = False
    """Whether `tests/e2e/scale` is to be run."""
    with_controllers: bool = False
    """Whether `tests/by_hand/ecosystem` is to be run."""


def run(folders: Folders, progress: Progress, scope: Scope) -> None:
    """Set up what the scope asks for. Raises ToolchainError with one sentence where the machine lacks something."""
    with locks.exclusive(folders.cache / "setup.lock", progress):
        if not scope.only_virtual_environments:
            _set_up_binaries(folders, progress, scope)
        if scope.with_browser:
            debian.install_missing(progress, debian.BROWSER_PACKAGES)
            if shutil.which("npm") is None:
                debian.install_missing(progress, debian.NODE_PACKAGES)
        for each in (virtualenvs.DEPLOY, virtualenvs.DEV):
            virtualenvs.make(each, folders, progress)
        if not scope.only_virtual_environments:
            _create_stacks(folders, progress)


def wanted_binaries(
    *, has_own_cli: bool, has_own_cluster: bool, has_kubectl: bool
) -> tuple[binaries.Binary, ...]:
    """Return what must be built, given what the user brings."""
    wanted = binaries.BUILDER if has_own_cli else binaries.BUILDER + binaries.PULUMI
    if not has_own_cluster:
        return binaries.CLUSTER + wanted + binaries.TESTS
    return wanted if has_kubectl else (binaries.named("kube"), *wanted)


def _set_up_binaries(folders: Folders, progress: Progress, scope: Scope) -> None:
    debian.install_missing(progress, debian.PACKAGES if scope.context is None else debian.BUILDER_PACKAGES)
    own_cli = pulumi_cli.find_usable(folders, progress)
    wanted = wanted_binaries(
        has_own_cli=own_cli is not None,
        has_own_cluster=scope.context is not None,
        has_kubectl=shutil.which("kubectl") is not None,
    )
    further: tuple[binaries.Binary, ...] = binaries.DOCKER_HOST if scope.with_docker_host else ()
    further += binaries.STAND_IN_NODES if scope.with_stand_in_nodes else ()
    further += binaries.CONTROLLERS if scope.with_controllers else ()
    build.build_missing(wanted + further, folders, progress)
    if scope.context is None:
        definitions.fetch_missing(folders, progress)
    build.remove_build_caches(folders, progress)
    if own_cli is None:
        pulumi_cli.install_built(folders)
    if scope.context is None:
        base_images.make(folders, progress)
    else:
        require_reachable(scope.context, folders)


def require_reachable(context: str, folders: Folders) -> None:
    """Raise MissingRequirement when the user's cluster does not answer."""
    kubectl = shutil.which("kubectl") or binaries.location(binaries.named("kube"), folders).with_name(
        "kubectl"
    )
    command = [kubectl, "--context", context, "--request-timeout", REACH_SECONDS, "get", "--raw", "/version"]
    answer = subprocess.run(command, capture_output=True, text=True)
    if answer.returncode != 0:
        said = answer.stderr.strip().splitlines() or ["no answer"]
        raise MissingRequirement(
            f"the cluster of the kubeconfig context {context!r} does not answer ({said[-1]}); check it with "
            f"`kubectl --context {context} version`, or leave --context out to use a local cluster"
        )


def _create_stacks(folders: Folders, progress: Progress) -> None:
    """Create the stacks that the checkout configures in the local backend, where that is the one in use."""
    if environment.uses_own_backend(os.environ):
        return
    with progress.step("stacks") as step:
        backend = environment.local_backend(folders)
        backend.mkdir(parents=True, exist_ok=True)
        backend.chmod(0o700)
        files = {path.name.split(".")[1]: path for path in sorted(CHECKOUT.glob("Pulumi.*.yaml"))}
        missing = [stack for stack in files if not _state_file(backend, stack).exists()]
        for stack in missing:
            step.note = f"create {stack}"
            settings = files[stack].read_bytes()
            _pulumi(folders, "stack", "init", "--no-select", stack)
            # Pulumi adds the salt of the passphrase at once; a checkout should not change by being set up.
            files[stack].write_bytes(settings)
        if FIRST_STACK in missing:
            _pulumi(folders, "stack", "select", FIRST_STACK)
        step.note = f"{', '.join(files) or 'none'} in {backend}"


def _state_file(backend: Path, stack: str) -> Path:
    return backend / ".pulumi" / "stacks" / PRODUCT / f"{stack}.json"


def _pulumi(folders: Folders, *arguments: str) -> None:
    settings = os.environ | environment.variables(folders, os.environ)
    # The program is found on the PATH that it will run with, which is not ours.
    program = shutil.which("pulumi", path=settings["PATH"]) or "pulumi"
    command = [program, "--non-interactive", f"--cwd={CHECKOUT}", *arguments]
    answer = subprocess.run(command, env=settings, capture_output=True, text=True)
    if answer.returncode != 0:
        raise BuildFailed(f"`pulumi {' '.join(arguments)}` failed: {answer.stderr.strip()}")
