"""Shows an incident while it happens: lines that stay, and below them, on a terminal, what moves."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.spinner import Spinner
from rich.text import Text

from . import words
from .output import Tone, out
from .story import tell, way
from .view import EventLine, memory_bar, stepper, tone_of
from .wire import Happening, Seen

STEP: Final = 10.0  # percent: without a terminal, memory is told when it has changed by this much


class Scene:
    """The lines and, where there is a terminal, the moving part. Use as a context manager."""

    def __init__(self) -> None:
        self.console: Console = out()
        self._live = Live(console=self.console, refresh_per_second=8, transient=True) if sys.stdout.isatty() else None
        self._events: list[Happening] = []
        self._target: Seen | None = None
        self._told_percent = 0.0
        self._waiting = ""

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def say(self, *parts: RenderableType) -> None:
        """Write something that stays."""
        self.console.print(*parts)

    def wait_for(self, what: str) -> None:
        """Say what is waited for, as long as no event has come."""
        if what != self._waiting and not self._live:
            self.say(Text(f"  … {what}", style=Tone.DIM))
        self._waiting = what
        self._refresh()

    def add(self, events: Sequence[Happening]) -> None:
        """Tell new events of the incident, with the seconds since its first signal."""
        for event in events:
            self._events.append(event)
            seconds = (event.at - self._events[0].at).total_seconds()
            self.say(EventLine(words.duration(seconds), event.agent, tell(event)))
        self._refresh()

    def show(self, target: Seen | None) -> None:
        """Show how the target is now."""
        self._target = target or self._target
        if not self._live and target:
            self._tell_memory(target)
        self._refresh()

    def _tell_memory(self, target: Seen) -> None:
        percent = target.usage.memory_percent if target.usage else None
        if percent is None or abs(percent - self._told_percent) < STEP:
            return
        self._told_percent = percent
        figures = f"{percent:.0f} % of {words.mebibytes(target.limits.memory_bytes)}"
        self.say(Text.assemble("  ", (words.short(target.name, 40), "bold"), " memory ", (figures, tone_of(percent))))

    def _refresh(self) -> None:
        if self._live:
            self._live.update(self._moving())

    def _moving(self) -> Group:
        parts: list[RenderableType] = [Rule(style=Tone.DIM)]
        reached = way(self._events)
        if reached:
            parts.append(stepper(reached, datetime.now(UTC)))
        else:
            parts.append(Spinner("dots", text=Text(self._waiting, style=Tone.DIM), style=Tone.WORK))
        if self._target:
            parts.append(memory_bar(self._target, width=max(10, min(48, self.console.width - 48))))
        return Group(*parts)
