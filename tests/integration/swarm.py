"""A real swarm of one node, made of the engine that is there, and left again by whoever has made it.

Leaving takes the services away, and nothing else: the containers of other tests are not touched.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.small_containers import docker


def is_manager() -> bool:
    """Whether the engine manages a swarm already."""
    return docker("info", "--format={{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}") == "active true"


@contextmanager
def one_node_swarm() -> Iterator[None]:
    """Be in a swarm, of one's own if there is none."""
    if is_manager():
        yield
        return
    docker("swarm", "init", "--advertise-addr=127.0.0.1")
    try:
        yield
    finally:
        docker("swarm", "leave", "--force")
