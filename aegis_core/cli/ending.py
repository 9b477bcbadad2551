"""Ctrl-C, SIGTERM and SIGHUP as one orderly end."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Final, Self

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """Somebody wants this process to end; `number` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Ending:
    """While it is entered, the first signal raises Ended in the main thread, and all later ones are passed over.

    So whoever cleans up is not cut short by an impatient second Ctrl-C. Signals that were ignored before (`nohup`)
    stay ignored.
    """

    def __init__(self) -> None:
        self._holds = 0
        self._came: int | None = None
        self._former: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for one in SIGNALS:
            if signal.getsignal(one) is not signal.SIG_IGN:
                self._former[one] = signal.signal(one, self._arrived)
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        for one, former in self._former.items():
            signal.signal(one, former)

    @contextmanager
    def held(self) -> Iterator[None]:
        """A signal that comes meanwhile raises Ended at the end of this block, not in the middle of it."""
        self._holds += 1
        try:
            yield
        finally:
            self._holds -= 1
        if self._came is not None and not self._holds:
            raise Ended(self._came)

    def hold(self) -> None:
        """From now on signals are passed over: what is left to do is cleaning up."""
        self._holds += 1

    def _arrived(self, number: int, _frame: FrameType | None) -> None:
        if self._came is not None:
            return
        self._came = number
        if not self._holds:
            raise Ended(number)
