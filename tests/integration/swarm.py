"""A real swarm of one node, made of the engine that is there, and left by the last who uses it if it was made for that.

Leaving takes the services away, and nothing else: the containers of other tests are not touched. Several tests, also of
several processes, may use it at once.
"""

import fcntl
import time
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
        fcntl.flock(use, fcntl.LOCK_SH)
        while not is_manager():
            fcntl.flock(use, fcntl.LOCK_UN)
            _make()
            fcntl.flock(use, fcntl.LOCK_SH)  # before that somebody may have left it again
        try:
            yield
        finally:
            fcntl.flock(use, fcntl.LOCK_UN)
            _leave_if_last()


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether nobody uses the swarm, and nobody will until this is over."""
    with _USE.open("a") as use:
        try:
            fcntl.flock(use, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.1)
            yield False
        else:
            yield True


def _make() -> None:
    with _alone() as alone:
        if alone and not is_manager():
            docker("swarm", "init", "--advertise-addr=127.0.0.1")
            _USE.write_text("made")


def _leave_if_last() -> None:
    with _alone() as alone:
        if alone and _USE.read_text() and is_manager():
            docker("swarm", "leave", "--force")
            _USE.write_text("")
