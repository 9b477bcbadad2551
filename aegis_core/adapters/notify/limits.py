"""How fast a channel may be used, and how long to wait when it is away. All constants of delivery stand here."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final, NamedTuple

Seconds = Callable[[], float]
"""A clock for durations that nobody sets, such as `time.monotonic`."""


class Rate(NamedTuple):
    """So many a second in the long run, and so many at once after a quiet time."""

    per_second: float
    burst: int


class Patience(NamedTuple):
    """Seconds to wait after a failure: `first`, then doubled with each one in a row up to `longest`."""

    first: float = 1.0
    longest: float = 300.0


class Storm(NamedTuple):
    """From when on people are told in digests, and how often."""

    handful: int = 5  # ends that may wait in a channel and are still told one by one
    crowd: int = 20  # the same for notices of any kind
    singles: int = 5  # notices of critical incidents that are told one by one besides each digest
    pause: float = 30.0  # seconds from one digest to the next; what is too much to be told singly waits as long
    glance: float = 5.0  # seconds that a critical incident waits in that time, as long as it is not beyond the bound


RATES: Final[Mapping[str, Rate]] = {"slack": Rate(per_second=1.0, burst=5)}  # DESIGN §6; the others have no limit
PATIENCE: Final = Patience()
STORM: Final = Storm()
GATHER: Final = 0.1  # seconds: what comes in one after the other is looked at together, and costs the intake little
NAMED: Final = 10  # targets that a digest names for each way in which incidents stand
LONGEST_RETRY_AFTER: Final = 3_600.0  # a server that asks for more than this is asked again after an hour
JITTER: Final = 0.25  # up to this part is added to a wait, so that agents that failed together do not return together
STALE: Final = timedelta(minutes=5)  # progress that is older is no news any more
LOOK_AHEAD: Final = timedelta(days=1)  # longer than any wait, also when the clock is set back by an hour
BATCH: Final = 200
PAGE: Final = 1_000  # notices of a storm that are read, or struck off, at a time: nobody waits long for the store
GLANCE: Final = 10_000  # notices among which a glance looks for critical ones: a third of a second
BACKLOG: Final = 100_000  # notices that one digest can stand for; about 40 MB while it is made
POLL_SECONDS: Final = 5.0  # the longest that a notice waits if nobody nudges
STOP_SECONDS: Final = 5.0  # how long the end waits for a delivery under way


class TokenBucket:
    """Allows `rate.burst` at once and `rate.per_second` on average. Used by one thread."""

    def __init__(self, rate: Rate, monotonic: Seconds) -> None:
        self._rate = rate
        self._monotonic = monotonic
        self._tokens = float(rate.burst)
        self._at = monotonic()

    def take(self) -> float:
        """Take a token and return 0, or return the seconds until there is one."""
        now = self._monotonic()
        self._tokens = min(self._rate.burst, self._tokens + (now - self._at) * self._rate.per_second)
        self._at = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate.per_second
        self._tokens -= 1
        return 0.0


class Backoff:
    """Counts failures in a row and says how long to wait. Used by one thread."""

    def __init__(self, patience: Patience, jitter: Callable[[], float]) -> None:
        self._patience = patience
        self._jitter = jitter
        self.failures = 0

    def failed(self, at_least: float = 0.0) -> float:
        """Count a failure and return the seconds to wait; never less than the other side asked for."""
        doubled = self._patience.first * 2.0 ** min(self.failures, 60)
        self.failures += 1
        wait = max(min(doubled, self._patience.longest), min(at_least, LONGEST_RETRY_AFTER))
        return wait * (1 + JITTER * self._jitter())

    def succeeded(self) -> None:
        """Forget the failures."""
        self.failures = 0
