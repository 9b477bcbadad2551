"""A hard limit on the seconds that a call may take."""

import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextvars import copy_context
from typing import TypeVar

from aegis_core.errors import BrainError, BrainUnavailable

T = TypeVar("T")


def within(seconds: float, call: Callable[[], T]) -> T:
    """Run a call in a thread of its own and give up on it after so many seconds.

    A timeout of a socket is for a single read, and looking up a name has none: without this, a server that sends a
    byte now and then would hold its caller for ever. The thread ends with the process at the latest.
    Raises what the call raises of BrainError; BrainUnavailable when it is late, or broke in another way.
    """
    outcome: Future[T] = Future()

    def run() -> None:
        try:
            outcome.set_result(call())
        except BrainError as error:
            outcome.set_exception(error)
        finally:
            outcome.cancel()  # does nothing when there is a result; what broke is told by threading.excepthook

    threading.Thread(target=copy_context().run, args=(run,), name="brain-call", daemon=True).start()
    try:
        return outcome.result(seconds)
    except TimeoutError:
        raise BrainUnavailable(f"no answer within {seconds:g} s") from None
    except CancelledError:
        raise BrainUnavailable("the call broke; its traceback is in the log") from None
