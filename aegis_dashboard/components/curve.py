"""A curve against its limit, as an inline SVG: it is redrawn in place, so that nothing flickers."""

from collections.abc import Sequence
from typing import Final

from aegis_dashboard.components.markup import Html, tag

WIDTH, HEIGHT = 100.0, 34.0
LIMIT_PERCENT: Final = 100.0
_HEADROOM: Final = 1.12  # so that the line of the limit is not at the very edge


def curve(values: Sequence[float | None], tone: str, label: str, limit: float | None = LIMIT_PERCENT) -> Html:
    """Draw values, oldest first; `limit` is drawn as a dashed line, and the scale reaches it.

    Without a limit the scale is that of the values. A value of None is a gap.
    """
    top = scale_top(values, limit)
    shapes = [part for run in runs(values) for part in _run(run, len(values), top)]
    line = _limit_line(limit / top) if limit else None
    return tag(
        "svg",
        tag("title", label),
        *shapes,
        line,
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


def _run(run: Sequence[tuple[int, float]], count: int, top: float) -> tuple[Html, Html]:
    spots = [_spot(position, value, count, top) for position, value in run]
    line = " ".join(spots)
    first, last = spots[0].split(",")[0], spots[-1].split(",")[0]
    area = tag("polygon", points=f"{first},{HEIGHT:g} {line} {last},{HEIGHT:g}", cls="ag-area")
    return area, tag("polyline", points=line, cls="ag-line", vector_effect="non-scaling-stroke")


def _spot(position: int, value: float, count: int, top: float) -> str:
    x = WIDTH * position / max(1, count - 1)
    y = HEIGHT * (1 - max(0.0, value) / top)
    return f"{x:.2f},{y:.2f}"


def _limit_line(share: float) -> Html:
    y = f"{HEIGHT * (1 - share):.2f}"
    return tag("line", x1="0", x2=f"{WIDTH:g}", y1=y, y2=y, cls="ag-limit", vector_effect="non-scaling-stroke")
