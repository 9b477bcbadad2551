"""Impact: how fast, how often, and what it saved, with the formula and its inputs next to the figure."""

from collections.abc import Sequence
from typing import Final

import altair as alt
import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard.components import charts
from aegis_dashboard.components.chips import chip
from aegis_dashboard.components.figures import ledger, tiles
from aegis_dashboard.components.markup import Html, div, draw, tag
from aegis_dashboard.components.page import away_banner, empty, section, viewer_clock
from aegis_dashboard.feed import load
from aegis_dashboard.story import Tone
from aegis_dashboard.wire import ImpactReport, ImpactRow

REFRESH_SECONDS: Final = 5


@st.fragment(run_every=REFRESH_SECONDS)
def _impact() -> None:
    loaded = load(lambda feed: feed.impact())
    away_banner(loaded.away)
    report, clock = loaded.view, viewer_clock()
    draw(section("Impact", sample=loaded.sample))
    if not report.incidents:
        draw(
            empty(
                "Nothing to count yet.", "As soon as the first incident has ended, its time and money are counted here."
            )
        )
        return
    draw(tiles(report))
    _charts(report.incidents, clock)
    draw(section("Where the money comes from", sample=loaded.sample))
    draw(_formula(report))
    draw(ledger(report.incidents, clock))


def _charts(rows: Sequence[ImpactRow], clock: fmt.Clock) -> None:
    tones = {"healed": Tone.GOOD, "recovered": Tone.PLAIN, "failed": Tone.BAD}
    ends = div(*(chip(name, tone, dot=True) for name, tone in tones.items()), cls="ag-chips")
    left, right = st.columns(2)
    _chart(left, "Money saved so far", charts.saved_over_time(rows, clock.zone), "saved")
    _chart(right, "Time to heal", charts.time_to_heal(rows, clock.zone), "heal", ends)
    left, right = st.columns(2)
    _chart(left, "Incidents per fault", charts.by_fault(rows), "faults", ends)
    _chart(right, "Mean time to heal per fault", charts.mean_by_fault(rows), "means")


def _chart(
    column: st.delta_generator.DeltaGenerator, title: str, chart: alt.Chart, key: str, legend: Html | None = None
) -> None:
    with column.container(border=True, key=f"chart-{key}"):
        draw(div(tag("h4", title), legend, cls="ag-panel-head"))
        st.altair_chart(chart, key=f"vega-{key}", theme="streamlit")


def _formula(report: ImpactReport) -> Html:
    by_hand = f"By hand an incident takes {report.manual_mttr_minutes:g} min (a setting)."
    return div(tag("code", report.formula) if report.formula else None, div(by_hand, cls="ag-muted"), cls="ag-panel")


_impact()
