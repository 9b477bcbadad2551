"""Delivers the notices of the outbox: one thread per channel, so that none waits for another.

At least once: a notice is struck off after the channel took it, and what an agent had in hand when it was killed is
delivered again. Back-off and pace belong to the channel as a whole; the outbox is asked for everything that is not
delivered, put off or not, because a later notice must not overtake an earlier one that is waiting for its next try.
"""

import random
import time
from collections.abc import Callable, Mapping, Sequence

from aegis_core.ports import Channel, Clock, Outbox

from .courier import Courier
from .lane import Lane
from .limits import (
    PATIENCE,
    POLL_SECONDS,
    RATES,
    STOP_SECONDS,
    STORM,
    Backoff,
    Patience,
    Rate,
    Seconds,
    Storm,
    TokenBucket,
)


class Deliverer:
    """Runs a lane for each channel. Constants that are arguments here are so for tests; see `limits`."""

    def __init__(
        self,
        outbox: Outbox,
        channels: Sequence[Channel],
        clock: Clock,
        *,
        monotonic: Seconds = time.monotonic,
        jitter: Callable[[], float] = random.random,
        rates: Mapping[str, Rate] = RATES,
        patience: Patience = PATIENCE,
        storm: Storm = STORM,
        poll_seconds: float = POLL_SECONDS,
    ) -> None:
        self._lanes = [
            Lane(
                name=channel.name,
                outbox=outbox,
                courier=Courier(outbox, channel, clock, Backoff(patience, jitter)),
                clock=clock,
                monotonic=monotonic,
                bucket=TokenBucket(rates[channel.name], monotonic) if channel.name in rates else None,
                store_backoff=Backoff(patience, jitter),
                storm=storm,
                poll_seconds=poll_seconds,
            )
            for channel in channels
        ]

    def start(self) -> None:
        """Begin to deliver; what is left from an earlier run goes first."""
        for lane in self._lanes:
            lane.start()

    def nudge(self) -> None:
        """Say that there may be new notices. Returns at once; does not shorten a back-off."""
        for lane in self._lanes:
            lane.nudge()

    def stop(self, timeout: float = STOP_SECONDS) -> None:
        """End every lane. A delivery under way may finish within `timeout` seconds in all."""
        for lane in self._lanes:
            lane.end()
        end = time.monotonic() + timeout
        for lane in self._lanes:
            lane.join(max(0.0, end - time.monotonic()))

    @property
    def silent(self) -> tuple[str, ...]:
        """Names of the channels that nobody delivers to: not started, ended, or broken by a bug."""
        return tuple(lane.name for lane in self._lanes if not lane.alive)
