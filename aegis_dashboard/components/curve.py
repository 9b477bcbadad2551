"""A curve against its limit, as an inline SVG: it is redrawn in place, so that nothing flickers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aegis_dashboard.components.markup import Html, tag

WIDTH, HEIGHT = 100.0, 34.0
LIMIT_PERCENT: Final = 100.0
_HEADROOM: Final = 1.12  # so that the line of the limit is not at the very edge
_LEAST_AHEAD, _MOST_AHEAD = 0.2, 1.2  # how much of what lies ahead is drawn, in spans of the curve
_ROOM: Final = 1.05  # behind the end, so that its dot is not at the very edge
Spot = tuple[float, float]


@dataclass(frozen=True)
class Ahead:
    """When a curve will meet its limit if it goes on so, with the interval around it. In spans of the curve."""

    likely: float
    earliest: float
    latest: float

    @property
    def shown(self) -> float:
        """How far ahead is drawn: what lies beyond would leave no room for what has been."""
        return min(max(self.latest * _ROOM, _LEAST_AHEAD), _MOST_AHEAD)


def curve(
    values: Sequence[float | None],
    tone: str,
    label: str,
    limit: float | None = LIMIT_PERCENT,
    ahead: Ahead | None = None,
) -> Html:
    """Draw values, oldest first; `limit` is drawn as a dashed line, and the scale reaches it.

    Without a limit the scale is that of the values. A value of None is a gap. With `ahead` the last value goes on as
    a dashed line towards the limit, within its interval.
    """
    top = scale_top(values, limit)
    last = values[-1] if values else None
    width, coming = WIDTH, list[Html]()
    if ahead and limit is not None and last is not None and last < limit:
        width = WIDTH / (1 + ahead.shown)
        coming = _going_on(ahead, last, limit, top, width)
    shapes = [part for run in runs(values) for part in _run(run, len(values), top, width)]
    line = _limit_line(limit / top) if limit else None
    return tag(
        "svg",
        tag("title", label),
        line,
        *coming,
        *shapes,
        viewBox=f"0 0 {WIDTH:g} {HEIGHT:g}",
        preserveAspectRatio="none",
        role="img",
        cls=f"ag-curve ag-{tone}",
    )


def scale_top(values: Sequence[float | None], limit: float | None) -> float:
    """The value at the upper edge."""
    highest = max((value for value in values if value is not None), default=0.0)
    return max(highest, limit or 0.0, 1e-9) * _HEADROOM


def runs(values: Sequence[float | None]) -> list[list[tuple[int, float]]]:
    """Split at the gaps: lists of (position, value)."""
    found: list[list[tuple[int, float]]] = [[]]
    for position, value in enumerate(values):
        if value is None:
            found.append([])
        else:
            found[-1].append((position, value))
    return [run for run in found if run]


def reach(at: float, last: float, limit: float, shown: float) -> Spot:
    """Where a line from `last` that meets `limit` at this time ends: there, or at the edge of what is shown."""
    share = min(1.0, shown / at) if at > 0 else 1.0
    return at * share, last + (limit - last) * share


def _run(run: Sequence[tuple[int, float]], count: int, top: float, width: float) -> tuple[Html, Html]:
    spots = [_spot(width * position / max(1, count - 1), value, top) for position, value in run]
    line = " ".join(spots)
    first, last = spots[0].split(",")[0], spots[-1].split(",")[0]
    area = tag("polygon", points=f"{first},{HEIGHT:g} {line} {last},{HEIGHT:g}", cls="ag-area")
    return area, tag("polyline", points=line, cls="ag-line", vector_effect="non-scaling-stroke")


def _going_on(ahead: Ahead, last: float, limit: float, top: float, width: float) -> list[Html]:
    """The interval as a wedge and a bar on the limit, the line in it, and a dot where it meets the limit."""
    shown = ahead.shown

    def drawn(spot: Spot) -> str:
        at, value = spot
        return _spot(width + (WIDTH - width) * at / shown, value, top)

    likely, earliest, latest = (reach(at, last, limit, shown) for at in (ahead.likely, ahead.earliest, ahead.latest))
    corner = [(shown, limit)] if ahead.earliest < shown < ahead.latest else []
    here, end = drawn((0.0, last)), drawn(likely)
    wedge = " ".join([here, *map(drawn, [earliest, *corner, latest])])
    found = [
        tag("polygon", points=wedge, cls="ag-wedge"),
        tag("polyline", points=f"{here} {end}", cls="ag-ahead", vector_effect="non-scaling-stroke"),
    ]
    if ahead.earliest < shown:
        between = f"{drawn(earliest)} {drawn((min(ahead.latest, shown), limit))}"
        found.append(tag("polyline", points=between, cls="ag-between", vector_effect="non-scaling-stroke"))
    if ahead.likely <= shown:  # a line without length and a round end: a dot that the scaling does not stretch
        dot = f"M{end.replace(',', ' ')}h0.01"
        found.append(tag("path", d=dot, cls="ag-meets", vector_effect="non-scaling-stroke"))
    return found


def _spot(x: float, value: float, top: float) -> str:
    y = HEIGHT * (1 - max(0.0, value) / top)
    return f"{x:.2f},{y:.2f}"


def _limit_line(share: float) -> Html:
    y = f"{HEIGHT * (1 - share):.2f}"
    return tag("line", x1="0", x2=f"{WIDTH:g}", y1=y, y2=y, cls="ag-limit", vector_effect="non-scaling-stroke")
