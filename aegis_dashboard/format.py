"""Figures, times and names as text for people. Pure: the moment `now` and the viewer's zone are arguments."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NOTHING: Final = "–"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
_MOMENT: Final = re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:\+00:00|Z)")
_UNITS: Final = ((DAY, "d", 1), (HOUR, "h", 1), (MINUTE, "min", 0), (1, "s", 0))  # seconds, name, decimals
_BYTES: Final = ("B", "KiB", "MiB", "GiB", "TiB")


@dataclass(frozen=True)
class Clock:
    """The viewer's clock: the moment of this redraw, and the zone in which times are shown."""

    now: datetime
    zone: tzinfo = UTC

    def time(self, moment: datetime | None) -> str:
        """`14:32:05` in the viewer's zone."""
        return moment.astimezone(self.zone).strftime("%H:%M:%S") if moment else NOTHING

    def day(self, moment: datetime | None) -> str:
        """`14:32:05` for today, else `20 Nov, 14:32`, with the year where it is another one."""
        if moment is None:
            return NOTHING
        local, today = moment.astimezone(self.zone), self.now.astimezone(self.zone)
        if local.date() == today.date():
            return local.strftime("%H:%M:%S")
        return local.strftime("%-d %b, %H:%M" if local.year == today.year else "%-d %b %Y, %H:%M")

    def localized(self, text: str) -> str:
        """A text with its UTC moments (`2026-11-20 05:19:08.745966+00:00`) as times of the viewer's zone."""
        return _MOMENT.sub(lambda found: self.time(datetime.fromisoformat(found[0])), text)

    def since(self, moment: datetime) -> float:
        """Seconds since the moment, never below zero."""
        return max(0.0, (self.now - moment).total_seconds())

    @property
    def offset(self) -> str:
        """`UTC+1`, `UTC−3:30` or `UTC`."""
        minutes = int((self.now.astimezone(self.zone).utcoffset() or self.now - self.now).total_seconds() // 60)
        if not minutes:
            return "UTC"
        hours, rest = divmod(abs(minutes), 60)
        return f"UTC{'+' if minutes > 0 else '−'}{hours}" + (f":{rest:02}" if rest else "")


def zone_of(name: str | None, minutes_behind: int | None = None) -> tzinfo:
    """The zone of an IANA name such as `Europe/Berlin`.

    Where it is not known (a slim image has no zone data) the offset counts: the minutes that the viewer's clock is
    behind UTC, as browsers tell it. UTC where there is neither.
    """
    try:
        if name:
            return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    return timezone(timedelta(minutes=-minutes_behind)) if minutes_behind else UTC


def utc(moment: datetime | None) -> str:
    """`2026-11-20 13:32:05 UTC`, for the hint next to a local time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if moment else ""


def duration(seconds: float | None) -> str:
    """`0.8 s`, `12 s`, `1 min 05 s`, `2 h 03 min`, `3 d 4 h`; below zero counts as zero."""
    if seconds is None:
        return NOTHING
    if seconds < 9.95:  # noqa: PLR2004 - tenths tell something below ten seconds only
        return "<0.1 s" if 0 < seconds < 0.05 else f"{max(0.0, seconds):.1f} s"  # noqa: PLR2004 - would round to 0.0
    whole = round(seconds)
    if whole >= DAY:
        return f"{whole // DAY} d {whole % DAY // HOUR} h"
    if whole >= HOUR:
        return f"{whole // HOUR} h {whole % HOUR // MINUTE:02} min"
    return f"{whole // MINUTE} min {whole % MINUTE:02} s" if whole >= MINUTE else f"{whole} s"


def about(seconds: float) -> str:
    """A time ahead, no more exact than anybody knows it: `40 s`, `1 min 40 s`, `25 min`, `5 h 10 min`, `3 d 4 h`."""
    if seconds < MINUTE:
        return f"{max(1, round(seconds))} s"
    if seconds < 10 * MINUTE:
        return _without_zero(duration(5 * round(seconds / 5)))
    if seconds < 2 * HOUR:
        return f"{round(seconds / MINUTE)} min"
    return _without_zero(duration(10 * MINUTE * round(seconds / (10 * MINUTE))))


def between(earliest: float, latest: float) -> str:
    """An interval of times ahead in one unit: `27–36 s`, `4–7 min`, `4.3–6.8 h`; `31 s` where both are the same."""
    length, unit, digits = next((one for one in _UNITS if latest >= 3 * one[0]), _UNITS[-1])
    first, last = (f"{max(0.0, seconds) / length:.{digits}f}" for seconds in (earliest, latest))
    return f"{last} {unit}" if first == last else f"{first}–{last} {unit}"


def _without_zero(told: str) -> str:
    return told.removesuffix(" 00 s").removesuffix(" 00 min").removesuffix(" 0 h")


def rough(seconds: float) -> str:
    """The largest unit alone: `12 s`, `3 min`, `5 h`, `2 d`."""
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(max(0.0, seconds))} s"


def size(count: float | None) -> str:
    """`236 MiB`; one decimal below ten of a unit."""
    if count is None:
        return NOTHING
    value = float(count)
    for unit in _BYTES:
        if abs(value) < 1024 or unit == _BYTES[-1]:  # noqa: PLR2004 - of binary prefixes
            break
        value /= 1024
    return f"{value:.1f} {unit}" if value < 10 and unit != "B" else f"{value:.0f} {unit}"  # noqa: PLR2004


def percent(value: float | None) -> str:
    """`92 %` of a percentage."""
    return NOTHING if value is None else f"{value:.0f} %"


def share(value: float | None) -> str:
    """`92 %` of a share from 0 to 1."""
    return NOTHING if value is None else percent(value * 100)


def metric(name: str, value: float) -> str:
    """A reported metric by the unit in its name: `memory 88 %` of `memory_percent`, `latency p95 3,012 ms`."""
    for ending, told in (("_percent", percent), ("_bytes", size), ("_ms", _milliseconds), ("_seconds", duration)):
        if name.endswith(ending):
            return f"{words(name.removesuffix(ending))} {told(value)}"
    return f"{words(name)} {value:,.4g}"


def _milliseconds(value: float) -> str:
    return f"{value:,.0f} ms"


def money(dollars: float | None) -> str:
    """`$29,840`; cents below a hundred dollars."""
    if dollars is None:
        return NOTHING
    return f"${dollars:,.2f}" if 0 < abs(dollars) < 100 else f"${dollars:,.0f}"  # noqa: PLR2004


def confidence(value: float | None) -> str:
    """`0.86`."""
    return NOTHING if value is None else f"{value:.2f}"


def words(name: str) -> str:
    """`memory pressure` of `memory_pressure`."""
    return name.replace("_", " ").strip()


def title(name: str) -> str:
    """`Memory pressure` of `memory_pressure`, `DB latency` of `db_latency`."""
    text = words(name)
    text = text[:1].upper() + text[1:]
    for plain, written in (
        ("Cpu", "CPU"),
        ("Oom", "OOM"),
        ("Db ", "DB "),
        ("Dns ", "DNS "),
        ("Tls ", "TLS "),
        ("Fd ", "FD "),
    ):
        text = text.replace(plain, written)
    return text


def phrase(name: str) -> str:
    """`memory pressure`, `CPU saturation`: a title for the middle of a sentence."""
    text = title(name)
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def plural(count: int, one: str, many: str = "") -> str:
    """`1 restart`, `3 restarts`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
