"""What an incident looks like in a terminal: the lines of its story, its way, the memory of its target. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.progress_bar import ProgressBar
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from aegis_core.domain.incident import Status

from . import words
from .output import Tone
from .story import Told
from .wire import Seen

WAY: Final = (
    Status.RECEIVED,
    Status.ANALYZING,
    Status.AWAITING_APPROVAL,
    Status.DECIDED,
    Status.EXECUTING,
    Status.VERIFYING,
    Status.RESOLVED,
)
HIGH, FULL = 70.0, 85.0  # percent of the limit: yellow from here on, red from here on
AGENT_WIDTH: Final = 13  # of the longest name, communication

STATUS_TONES: Final[Mapping[Status, Tone]] = {
    Status.RESOLVED: Tone.GOOD,
    Status.FAILED: Tone.BAD,
    Status.RECEIVED: Tone.WARN,
    Status.AWAITING_APPROVAL: Tone.WARN,
}


class EventLine:
    """One event: when, who, what, and below it the (first `most`) lines that add to it, wrapped under their own column.

    Unlike a table it leaves no blanks at the end of a line, so that a log file stays clean.
    """

    def __init__(self, when: str, agent: str, told: Told, target: str = "", most: int | None = None) -> None:
        self._head = Text.assemble((f"{when:>9}  ", Tone.DIM), (f"{words.short(agent, AGENT_WIDTH):<15}", "bold"))
        named = Text.assemble((words.short(target, 40), "bold"), "  ") if target else Text()
        headline = named + Text(told.headline, style=told.tone)
        self._lines = [headline, *(Text(text, style=tone) for text, tone in told.lines[:most])]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        indent = self._head.cell_len
        width = max(20, options.max_width - indent)
        wrapped = [line for text in self._lines for line in text.wrap(console, width, overflow="fold")]
        for number, line in enumerate(wrapped):
            line.rstrip()
            yield Text.assemble(Text(" " * indent) if number else self._head, line, overflow="ignore", no_wrap=True)


def status_text(status: Status) -> Text:
    """A status in its colour; what is under way is cyan."""
    return Text(status, style=STATUS_TONES.get(status, Tone.WORK))


def stepper(reached: Mapping[Status, datetime], now: datetime | None = None) -> Table:
    """The way of an incident: what it has passed, with the seconds since its first signal, and what is under way.

    With `now` the stage under way turns a wheel and counts.
    """
    grid = Table.grid(padding=(0, 1, 0, 0), expand=True)
    way = _way(reached)
    for _ in way:
        grid.add_column(ratio=1, no_wrap=True)
    first = min(reached.values()) if reached else now
    newest = next(reversed(list(reached)), None)
    closed = Status.RESOLVED in reached or Status.FAILED in reached
    running = None if closed or newest is None else newest
    grid.add_row(*(_mark(status, status in reached, status is running, now is not None) for status in way))
    grid.add_row(*(_since(reached.get(status), first, now if status is running else None) for status in way))
    return grid


def _way(reached: Mapping[Status, datetime]) -> tuple[Status, ...]:
    """Only what was passed when it ends FAILED; a person's answer is a step only where one is asked for."""
    if Status.FAILED not in reached:
        return tuple(status for status in WAY if status in reached or status is not Status.AWAITING_APPROVAL)
    return (*(status for status in WAY[:-1] if status in reached), Status.FAILED)


def _mark(status: Status, passed: bool, running: bool, alive: bool) -> RenderableType:
    name = "Approval" if status is Status.AWAITING_APPROVAL else status.capitalize()
    if running:
        label = Text(name, style=f"bold {Tone.WORK}")
        return Spinner("dots", text=label, style=Tone.WORK) if alive else Text.assemble(("▸ ", Tone.WORK), label)
    if not passed:
        return Text(f"· {name}", style=Tone.DIM)
    if status is Status.FAILED:
        return Text(f"✘ {name}", style=Tone.BAD)
    return Text.assemble(("✔ ", Tone.GOOD), name)


def _since(at: datetime | None, first: datetime | None, now: datetime | None) -> Text:
    if at is None or first is None:
        return Text("")
    moment = (now or at) - first if now else at - first
    return Text(f"  {words.duration(moment.total_seconds())}", style=Tone.WORK if now else Tone.DIM)


def memory_bar(target: Seen, width: int) -> Table:
    """The memory of a target against its limit."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    usage, limit = target.usage, target.limits.memory_bytes
    percent = usage.memory_percent if usage else None
    name = Text.assemble((words.short(target.name, 30), "bold"), " memory")
    if percent is None or usage is None:
        grid.add_row(name, Text(f"not measured ({target.run}, health {target.health})", style=Tone.DIM))
        return grid
    figures = f"{percent:.0f} % of {words.mebibytes(limit)}" if limit else words.mebibytes(usage.memory_bytes)
    tone = tone_of(percent)
    bar = ProgressBar(total=100, completed=min(100.0, percent), width=width, complete_style=tone, finished_style=tone)
    grid.add_row(name, bar, Text(figures, style=tone))
    return grid


def tone_of(percent: float) -> Tone:
    """The colour of a share of a limit."""
    if percent >= FULL:
        return Tone.BAD
    return Tone.WARN if percent >= HIGH else Tone.GOOD
