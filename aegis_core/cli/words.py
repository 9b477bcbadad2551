"""Figures, times and names as text for people. Pure."""

from datetime import datetime
from typing import Final

from aegis_core.domain.logs import LINE_LIMIT, clean_line

NOTHING: Final = "–"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
MIB: Final = 2**20


def duration(seconds: float | None) -> str:
    """`0.8 s`, `12 s`, `1 min 05 s`, `2 h 03 min`, `3 d 4 h`."""
    if seconds is None:
        return NOTHING
    seconds = max(0.0, seconds)
    if round(seconds, 1) < 10:  # noqa: PLR2004 - tenths tell something below ten seconds only
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE:02} s"
    if whole < DAY:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"
    return f"{whole // DAY} d {whole % DAY // HOUR} h"


def local(moment: datetime | None, now: datetime) -> str:
    """`14:32:05` for today, else `20 Nov 14:32`, with the year where it is another one; in the zone of this host."""
    if moment is None:
        return NOTHING
    at, today = moment.astimezone(), now.astimezone()
    if at.date() == today.date():
        return f"{at:%H:%M:%S}"
    return f"{at:%-d %b %H:%M}" if at.year == today.year else f"{at:%-d %b %Y}"


def money(dollars: float | None) -> str:
    """`$29,840`; cents below a hundred dollars."""
    if dollars is None:
        return NOTHING
    return f"${dollars:,.2f}" if 0 < abs(dollars) < 100 else f"${dollars:,.0f}"  # noqa: PLR2004


def mebibytes(count: float | None) -> str:
    """`192 MiB`."""
    return NOTHING if count is None else f"{count / MIB:,.0f} MiB"


def spoken(name: str) -> str:
    """`memory pressure` of `memory_pressure`, `CPU saturation` of `cpu_saturation`."""
    words = {"cpu": "CPU", "oom": "OOM", "db": "DB"}
    return " ".join(words.get(word, word) for word in name.replace("_", " ").split())


def counted(count: int, one: str, many: str = "") -> str:
    """`1 line`, `3 lines`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def printable(line: str) -> str:
    """A line whatever its length: nothing that came in over the wire may steer a terminal."""
    return "".join(clean_line(line[start : start + LINE_LIMIT // 4]) for start in range(0, len(line), LINE_LIMIT // 4))


def short(text: str, most: int = 160) -> str:
    """One printable line of at most `most` characters: nothing that came in over the wire may steer a terminal."""
    line = clean_line(" ".join(text.split()))
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
