"""Charts over time and per fault. The colours are legible on light and dark grounds alike."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

import altair as alt

from aegis_dashboard import format as fmt
from aegis_dashboard import names
from aegis_dashboard.wire import ImpactRow

WORK, GOOD, BAD, CALM = "#7370e4", "#2f9e6e", "#d9564c", "#8a90a3"
HEIGHT: Final = 230
OUTCOMES: Final = {"healed": GOOD, "recovered": CALM, "failed": BAD}
_OUTCOME: Final = alt.Scale(domain=list(OUTCOMES), range=list(OUTCOMES.values()))
_NAMES: Final = alt.Axis(labelLimit=160, labelOverlap=False, ticks=False, domain=False)
Record = dict[str, Any]


def saved_over_time(rows: Sequence[ImpactRow], zone: tzinfo) -> alt.Chart:
    """Dollars saved so far, as a stairway: each step is one incident."""
    records = cumulative(rows, zone)
    base = alt.Chart(inline(records)).encode(
        x=_time_axis(records),
        y=alt.Y("saved:Q", title=None, axis=alt.Axis(format="$~s", tickCount=5)),
        tooltip=[_time_tip("at"), alt.Tooltip("incident:N"), alt.Tooltip("step:Q", title="saved", format="$,.0f"),
                 alt.Tooltip("saved:Q", title="in all", format="$,.0f")],
    )  # fmt: skip
    area = base.mark_area(interpolate="step-after", color=GOOD, opacity=0.15)
    line = base.mark_line(interpolate="step-after", color=GOOD, strokeWidth=2)
    return framed(alt.layer(area, line, base.mark_point(color=GOOD, filled=True, size=28)))


def time_to_heal(rows: Sequence[ImpactRow], zone: tzinfo) -> alt.Chart:
    """Seconds from the first signal to the end, a dot for each incident."""
    records = [
        {
            "at": _local(row.opened_at, zone),
            "seconds": row.seconds,
            "took": fmt.duration(row.seconds),
            "outcome": row.outcome,
            "fault": fmt.title(row.fault),
            "incident": row.incident_id,
            "container": names.target(row.container_name),
        }
        for row in rows
        if row.seconds is not None
    ]
    chart = alt.Chart(inline(records)).mark_point(filled=True, size=70, opacity=0.85)
    return framed(
        chart.encode(
            x=_time_axis(records),
            y=alt.Y("seconds:Q", title=None, axis=alt.Axis(tickCount=5, labelExpr="datum.value + ' s'")),
            color=alt.Color("outcome:N", scale=_OUTCOME, legend=None),
            tooltip=[
                _time_tip("at"),
                *map(alt.Tooltip, ("incident:N", "fault:N", "container:N", "took:N", "outcome:N")),
            ],
        )
    )


def by_fault(rows: Sequence[ImpactRow]) -> alt.Chart:
    """How many incidents of each fault, by how they ended."""
    chart = alt.Chart(inline(fault_counts(rows))).mark_bar(cornerRadiusEnd=3, size=18)
    return framed(
        chart.encode(
            y=alt.Y("fault:N", sort="-x", title=None, axis=_NAMES),
            x=alt.X("count:Q", title=None, axis=alt.Axis(tickMinStep=1, tickCount=5, format="d")),
            color=alt.Color("outcome:N", scale=_OUTCOME, legend=None),
            tooltip=["fault:N", "outcome:N", "count:Q"],
        )
    )


def mean_by_fault(rows: Sequence[ImpactRow]) -> alt.Chart:
    """Mean seconds to heal of each fault; only what was healed counts."""
    chart = alt.Chart(inline(fault_means(rows))).mark_bar(cornerRadiusEnd=3, size=18, color=WORK)
    return framed(
        chart.encode(
            y=alt.Y("fault:N", sort="-x", title=None, axis=_NAMES),
            x=alt.X("seconds:Q", title=None, axis=alt.Axis(tickCount=5, labelExpr="datum.value + ' s'")),
            tooltip=["fault:N", alt.Tooltip("took:N", title="mean time to heal"), "incidents:Q"],
        )
    )


def cumulative(rows: Sequence[ImpactRow], zone: tzinfo) -> list[Record]:
    """Saved so far after each incident that saved anything, oldest first."""
    ended = sorted(
        ((row.closed_at, row) for row in rows if row.closed_at and row.saved_dollars), key=lambda pair: pair[0]
    )
    records: list[Record] = []
    saved = 0.0
    for at, row in ended:
        step = row.saved_dollars or 0.0
        saved += step
        records.append({"at": _local(at, zone), "saved": saved, "step": step, "incident": row.incident_id})
    return records


def fault_counts(rows: Sequence[ImpactRow]) -> list[Record]:
    counts: dict[tuple[str, str], int] = {}
    for row in rows:
        key = (fmt.title(row.fault), row.outcome)
        counts[key] = counts.get(key, 0) + 1
    return [{"fault": fault, "outcome": end, "count": count} for (fault, end), count in counts.items()]


def fault_means(rows: Sequence[ImpactRow]) -> list[Record]:
    times: dict[str, list[float]] = {}
    for row in rows:
        if row.outcome == "healed" and row.seconds is not None:
            times.setdefault(fmt.title(row.fault), []).append(row.seconds)
    return [
        {
            "fault": fault,
            "seconds": sum(all_) / len(all_),
            "took": fmt.duration(sum(all_) / len(all_)),
            "incidents": len(all_),
        }
        for fault, all_ in times.items()
    ]


def _local(moment: datetime, zone: tzinfo) -> str:
    """The viewer's wall clock without an offset: Vega would show the server's offset otherwise."""
    return moment.astimezone(zone).replace(tzinfo=None).isoformat(timespec="seconds")


def _time_axis(records: Sequence[Record]) -> alt.X:
    """The time of day where all of it lies within a day and a half, else the days."""
    moments = [datetime.fromisoformat(record["at"]) for record in records]
    days = (max(moments) - min(moments)).total_seconds() / fmt.DAY if moments else 0.0
    if days < 1.5:  # noqa: PLR2004
        axis = alt.Axis(tickCount=5, labelOverlap=True, format="%H:%M")
    elif days < 10:  # noqa: PLR2004 - as many ticks as days; more would repeat the same day
        axis = alt.Axis(tickCount=alt.TimeIntervalStep(interval="day", step=1), labelOverlap=True, format="%-d %b")
    else:
        axis = alt.Axis(tickCount=6, labelOverlap=True, format="%-d %b")
    return alt.X("at:T", title=None, axis=axis)


def _time_tip(field: str) -> alt.Tooltip:
    return alt.Tooltip(f"{field}:T", title="when", format="%-d %b %Y, %H:%M:%S")


def inline(records: Sequence[Record]) -> alt.InlineData:
    """Records as the data of a chart."""
    return alt.InlineData(values=list(records))


def framed(chart: Any, height: int = HEIGHT) -> alt.Chart:
    """A chart as all of them look: without a frame, on the ground of the page."""
    bare: alt.Chart = chart.properties(height=height).configure_view(stroke=None).configure(background="transparent")
    return bare
