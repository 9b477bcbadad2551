"""Where the commands write to: the terminal, or plain text where there is none."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from typing import Any, Final

from rich.console import Console
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
    errors().print(f"aegis: {sentence}", style="red", markup=False, soft_wrap=True)


def print_json(body: Any) -> None:
    """Write machine-readable JSON to standard output, and nothing else."""
    sys.stdout.write(json.dumps(body, indent=2, ensure_ascii=False) + "\n")
    sys.stdout.flush()


@contextmanager
def busy(what: str) -> Iterator[Callable[[str], None]]:
    """Say what is being done as long as it lasts: with a wheel on a terminal, else a line for each new thing.

    What it yields tells the next thing.
    """
    console = out()
    if not console.is_terminal:
        told = [""]

        def say(text: str) -> None:
            if text != told[0]:
                told[0] = text
                console.print(Text(f"  … {text}", style=Tone.DIM))

        say(what)
        yield say
        return
    with console.status(Text(what, style=Tone.DIM), spinner_style=Tone.WORK) as status:
        yield lambda text: status.update(Text(text, style=Tone.DIM))
