"""Detect: a symptom becomes a stored signal, and with it an incident."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Lock
from typing import Final

from aegis_core.domain.incident import Incident
from aegis_core.domain.logs import clean_line, clean_lines
from aegis_core.domain.masking import mask, mask_lines
from aegis_core.domain.signal import Fault, Signal
from aegis_core.errors import StoreError, StoreUnavailable
from aegis_core.ports import Clock, EventLog, Opening

from .rush import Rush

SecretsOf = Callable[[str], frozenset[str]]
"""The environment values of the target of this name, as far as they are known without asking the runtime."""

TargetOf = Callable[[str], str]
"""The name of the target that somebody means by a name."""

MOST_WAITING: Final = 10_000  # signals; more than that at once are told to come again
BATCH: Final = 500
TURN_SECONDS: Final = 1.5  # how long a signal waits for its turn before its sender is told to come again
SENSOR: Final = "sensor"

# Docker's health check has counted its retries; the watcher has waited for the restart policy, and has seen memory or
# CPU over its threshold for long enough, or a leak with no time to lose.
_CERTAIN: Final = frozenset(
    {
        Fault.UNHEALTHY,
        Fault.CRASHED,
        Fault.CRASH_LOOP,
        Fault.OOM_KILLED,
        Fault.MEMORY_PRESSURE,
        Fault.CPU_SATURATION,
    }
)

Taken = tuple[Incident, bool]


def patience(signal: Signal, debounce: float) -> float:
    """Say how many seconds to wait whether a symptom goes away by itself before anybody looks at it."""
    return 0.0 if signal.source == SENSOR and signal.fault in _CERTAIN else debounce


class _Ticket:
    def __init__(self, opening: Opening) -> None:
        self.opening = opening
        self.taken: Taken | None = None
        self.error: StoreError | None = None


class Inbox:
    """Takes signals from many threads and stores them together: whoever has the turn writes for all who wait."""

    def __init__(
        self,
        log: EventLog,
        secrets_of: SecretsOf,
        clock: Clock,
        debounce: float,
        rush: Rush,
        *,
        target_of: TargetOf = lambda name: name,
    ) -> None:
        self._log, self._secrets_of, self._clock, self._rush = log, secrets_of, clock, rush
        self._target_of = target_of
        self._debounce = debounce
        self._gate, self._turn = Lock(), Lock()
        self._waiting: list[_Ticket] = []

    def take(self, signal: Signal) -> Taken:
        """Store one signal; see `take_all`."""
        [taken] = self.take_all([signal])
        return taken

    def take_all(self, signals: Sequence[Signal]) -> Sequence[Taken]:
        """Clean and mask signals and store them; returns for each its incident and whether it is new.

        Nothing that came in is stored unmasked. All of it is on disk when this returns. Raises StoreUnavailable: then
        it was not accepted, or nobody can tell, and it has to be sent again.
        """
        tickets = [self._ticket(signal) for signal in signals]
        self._queue(tickets)
        self._rush.came(len(tickets))
        if not self._turn.acquire(timeout=TURN_SECONDS):
            if self._withdraw(tickets):
                raise StoreUnavailable("the store is too slow for what comes in")
            self._turn.acquire()  # somebody else has them in hand: what becomes of them is known in a moment
        try:
            while any(ticket.taken is None and ticket.error is None for ticket in tickets):
                self._write()
        finally:
            self._turn.release()
        for ticket in tickets:
            if ticket.error:
                raise ticket.error
        return [ticket.taken for ticket in tickets if ticket.taken]

    def clear(self, keys: Sequence[str]) -> Sequence[Incident]:
        """Note that the senders of these troubles say that they are over. Raises StoreUnavailable."""
        return self._log.clear(keys, self._clock())

    def _ticket(self, signal: Signal) -> _Ticket:
        signal = signal.model_copy(update={"target": self._target_of(signal.target)})
        wait = patience(signal, self._debounce)
        until = self._clock() + timedelta(seconds=wait) if wait else None
        return _Ticket(Opening(signal=_masked(signal, self._secrets_of(signal.target)), until=until))

    def _queue(self, tickets: Sequence[_Ticket]) -> None:
        with self._gate:
            if len(self._waiting) + len(tickets) > MOST_WAITING:
                raise StoreUnavailable("too much comes in at once")
            self._waiting += tickets

    def _withdraw(self, tickets: Sequence[_Ticket]) -> bool:
        """Take back what still waits; tells whether there was any."""
        mine = set(map(id, tickets))
        with self._gate:
            waiting = len(self._waiting)
            self._waiting = [ticket for ticket in self._waiting if id(ticket) not in mine]
            return len(self._waiting) < waiting

    def _write(self) -> None:
        with self._gate:
            batch, self._waiting = self._waiting[:BATCH], self._waiting[BATCH:]
        for ticket in batch:  # whatever breaks below, nobody waits for ever
            ticket.error = StoreUnavailable("nobody can tell whether it was stored")
        try:
            taken = self._log.open([ticket.opening for ticket in batch], self._clock())
        except StoreError as error:
            for ticket in batch:
                ticket.error = error
            return
        for ticket, one in zip(batch, taken, strict=True):
            ticket.taken, ticket.error = one, None


def _masked(signal: Signal, secrets: frozenset[str]) -> Signal:
    word = mask(clean_line(signal.alert_type), secrets)[:128]
    return signal.model_copy(update={"logs": mask_lines(clean_lines(signal.logs), secrets), "alert_type": word})
