"""Markdown in which text from outside stays text: it cannot become a heading, a link, an image or HTML. Pure."""

import re
from collections.abc import Iterable, Sequence
from typing import Final

# What CommonMark and GitHub read within a line, and what opens a block at its beginning.
_INLINE: Final = re.compile(r"[\\`*\[\]<>|~&$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_OPENS: Final = re.compile(r"^(?P<space>\s*)(?:(?P<number>\d{1,9})(?=[.)])|(?=[#+=-]))")
_TICKS: Final = re.compile(r"`+")
_LINK: Final = re.compile(r"(?<=\w)://")


def text(value: str) -> str:
    """A text as one line in which nothing is markup; addresses are no links."""
    line = _INLINE.sub(lambda found: f"\\{found.group()}", " ".join(value.split()))
    line = _LINK.sub(":\u2060//", line)  # a word joiner looks like nothing
    return _OPENS.sub(lambda found: f"{found['space']}{found['number'] or ''}\\", line)


def code(value: str) -> str:
    """A name as code within a line."""
    line = " ".join(value.split()).replace("|", "¦")
    ticks = "`" * (max((len(run) for run in _TICKS.findall(line)), default=0) + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line or ' '}{pad}{ticks}"


def block(lines: Iterable[str]) -> str:
    """Lines as a block of code, with a fence that is longer than any within them."""
    shown = [" ".join(line.splitlines()) for line in lines]
    longest = max((len(run) for line in shown for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}text", *shown, fence])


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; its cells are Markdown already."""
    line = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in line)


def bullets(items: Iterable[str]) -> str:
    """A list; its items are Markdown already."""
    return "\n".join(f"- {item}" for item in items)
