"""Questions to the stack's own cluster, through `kubectl`, because that knows every way to log in to one."""

import subprocess
from collections.abc import Sequence
from typing import Final

from components.config import ClusterConfig

_PATIENCE_SECONDS: Final = 20


def kubectl_words(cluster: ClusterConfig, *words: str, namespace: str = "") -> list[str]:
    """Return the command line that puts `words` to the cluster of the configuration."""
    where = {"--kubeconfig": cluster.kubeconfig, "--context": cluster.context, "--namespace": namespace}
    options = [word for option, value in where.items() if value for word in (option, value)]
    return ["kubectl", *options, *words]


def ask(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a command line and return its end, whatever it was.

    Raises OSError where there is no kubectl, subprocess.TimeoutExpired where it takes longer than 20 s.
    """
    return subprocess.run(words, capture_output=True, text=True, timeout=_PATIENCE_SECONDS)
