"""Where the commands write to: the terminal, or plain text where there is none."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from typing import Any, Final

from rich.console import Console
from rich.status import Status
from rich.text import Text

PIPE_WIDTH: Final = 120  # columns where nobody says how wide the paper is


class Tone(StrEnum):
    """How something is coloured; the values are styles of rich."""

    PLAIN = "default"
    DIM = "bright_black"
    WORK = "cyan"
    GOOD = "green"
    WARN = "yellow"
    BAD = "red"


@cache
def out() -> Console:
    """The console for what was asked for; one for all, so that lines and what moves do not get into each other."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else PIPE_WIDTH)


def errors() -> Console:
    """The console for what went wrong."""
    return Console(stderr=True, highlight=False, width=None if sys.stderr.isatty() else PIPE_WIDTH)


def complain(sentence: str) -> None:
    """Say on standard error what went wrong, in one sentence."""
    console = errors()
    console.print(f"aegis: {sentence}", style=Tone.BAD, markup=False, soft_wrap=not console.is_terminal)


def print_json(body: Any) -> None:
    """Write machine-readable JSON to standard output, and nothing else."""
    sys.stdout.write(json.dumps(body, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


class Busy:
    """What is being done: a wheel that turns on a terminal, elsewhere a line for each new thing."""

    def __init__(self, wheel: Status | None) -> None:
        self._wheel = wheel
        self._told = ""

    def tell(self, what: str, detail: str = "") -> None:
        """Say what is done now; `detail` is for the wheel only, because it changes often."""
        if self._wheel:
            self._wheel.update(Text(f"{what}  {detail}" if detail else what, style=Tone.DIM, overflow="ellipsis"))
        elif what != self._told:
            out().print(Text(f"  … {what}", style=Tone.DIM))
        self._told = what


@contextmanager
def busy(what: str) -> Iterator[Busy]:
    """Say what is being done, as long as it lasts."""
    if not out().is_terminal:
        doing = Busy(None)
        doing.tell(what)
        yield doing
        return
    with out().status(Text(what, style=Tone.DIM), spinner_style=Tone.WORK) as wheel:
        yield Busy(wheel)
