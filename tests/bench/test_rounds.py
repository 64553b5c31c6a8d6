"""Servers are started once a round for all that is asked of them."""

from bench import servers
from bench.rounds import group_by_server
from bench.trials import Trial


def test_trials_of_one_server_are_visited_together() -> None:
    names = [("a", servers.FASTAPI), ("b", servers.NGINX), ("c", servers.FASTAPI), ("d", None), ("e", None)]
    groups = group_by_server([Trial(name=name, server=server) for name, server in names])
    assert [[trial.name for trial in group] for group in groups] == [["a", "c"], ["b"], ["d"], ["e"]]
