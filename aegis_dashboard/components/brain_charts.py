"""Charts of an evaluation: how sure against how often right, and what was said where."""

from collections.abc import Sequence

import altair as alt

from aegis_dashboard import format as fmt
from aegis_dashboard.brain_wire import Bin, Confusion
from aegis_dashboard.components.charts import BAD, CALM, GOOD, WORK, Record, framed, inline

ROW = 26  # pixels of a category
NAMES_BELOW = 150  # pixels that the names across take
_SHARE = alt.Scale(domain=[0, 1])
_NAMES = alt.Axis(labelLimit=170, labelOverlap=False, ticks=False, domain=False, grid=False)


def reliability(bins: Sequence[Bin]) -> alt.Chart:
    """A dot for each band of confidence, as large as it has answers; on the line it is as often right as sure."""
    line = alt.Chart(inline([{"sure": 0, "right": 0}, {"sure": 1, "right": 1}]))
    ideal = line.mark_line(color=CALM, strokeDash=[4, 4], strokeWidth=1).encode(x="sure:Q", y="right:Q")
    base = alt.Chart(inline(reliability_records(bins))).encode(
        x=alt.X("sure:Q", title="how sure it was", scale=_SHARE, axis=alt.Axis(format="%", tickCount=5)),
        y=alt.Y("right:Q", title="how often it was right", scale=_SHARE, axis=alt.Axis(format="%", tickCount=5)),
        tooltip=[
            alt.Tooltip("band:N", title="confidence"),
            alt.Tooltip("answers:Q"),
            alt.Tooltip("sure:Q", format=".0%"),
            alt.Tooltip("right:Q", format=".0%"),
        ],
    )
    size = alt.Size("answers:Q", legend=None, scale=alt.Scale(range=[60, 700], type="sqrt"))
    dots = base.mark_point(filled=True, color=WORK, opacity=0.85).encode(size=size)
    path = base.mark_line(color=WORK, strokeWidth=1.5, opacity=0.6)
    return framed(alt.layer(ideal, path, dots), 300)


def confusion(rows: Sequence[Confusion]) -> alt.Chart:
    """Right categories down, said ones across; green where both are the same."""
    records = confusion_records(rows)
    order = list(dict.fromkeys(record["right"] for record in records))
    said = [*order, *dict.fromkeys(record["said"] for record in records if record["said"] not in order)]
    across = alt.Axis(labelAngle=-50, labelLimit=150, labelOverlap=False, ticks=False, domain=False, grid=False)
    base = alt.Chart(inline(records)).encode(
        y=alt.Y("right:N", sort=order, title="right", axis=_NAMES),
        x=alt.X("said:N", sort=said, title="said", axis=across),
        tooltip=["right:N", "said:N", alt.Tooltip("cases:Q"), alt.Tooltip("share:Q", format=".0%")],
    )
    tone = alt.Color("agreed:N", scale=alt.Scale(domain=[True, False], range=[GOOD, BAD]), legend=None)
    opacity = alt.Opacity("share:Q", scale=alt.Scale(domain=[0, 1], range=[0.55, 1]), legend=None)
    cells = base.mark_rect(cornerRadius=3).encode(color=tone, opacity=opacity)
    figures = base.mark_text(color="white", fontWeight="bold", fontSize=11).encode(text="cases:Q")
    return framed(alt.layer(cells, figures), ROW * len(order) + NAMES_BELOW)


def reliability_records(bins: Sequence[Bin]) -> list[Record]:
    return [
        {"sure": one.confidence, "right": one.right, "answers": one.count, "band": f"{one.low:.1f} to {one.high:.1f}"}
        for one in bins
    ]


def confusion_records(rows: Sequence[Confusion]) -> list[Record]:
    """Each pair with its share of the cases where that category was right."""
    totals: dict[str, int] = {}
    for row in rows:
        totals[row.right] = totals.get(row.right, 0) + row.count
    return [
        {
            "right": fmt.title(row.right),
            "said": fmt.title(row.said),
            "cases": row.count,
            "share": row.count / totals[row.right],
            "agreed": row.right == row.said,
        }
        for row in rows
    ]
