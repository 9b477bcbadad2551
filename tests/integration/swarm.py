"""A real swarm of one node, made of the engine that is there, and left by the last who uses it if it was made for that.

Leaving takes the services away, and nothing else: the containers of other tests are not touched. Several tests, also of
several processes, may use it at once.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import gettempdir

from tests.integration.small_containers import docker

_USE = Path(gettempdir()) / "aegis-test-swarm"  # locked by all who use it; it holds a word if the swarm was made for us


def is_manager() -> bool:
    """Whether the engine manages a swarm."""
    return docker("info", "--format={{.Swarm.LocalNodeState}} {{.Swarm.ControlAvailable}}") == "active true"


@contextmanager
def one_node_swarm() -> Iterator[None]:
    """Be in a swarm, of our own if there is none."""
    with _USE.open("a") as use:
        joined = False
        while not joined:  # between the two kinds of lock somebody else may have left it
            fcntl.flock(use, fcntl.LOCK_EX)
            if not is_manager():
                docker("swarm", "init", "--advertise-addr=127.0.0.1")
                _USE.write_text("made")
            fcntl.flock(use, fcntl.LOCK_SH)
            joined = is_manager()
        try:
            yield
        finally:
            fcntl.flock(use, fcntl.LOCK_UN)
            _leave_if_last()


def _leave_if_last() -> None:
    with _USE.open("a") as use:
        try:
            fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # another test uses it, or leaves it
            return
        if _USE.read_text() and is_manager():
            docker("swarm", "leave", "--force")
        _USE.write_text("")
