"""Brain: how often the diagnosis is right, how often the action, and how often it would act where it should not."""

from collections.abc import Sequence
from typing import Final

import altair as alt
import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard.brain_wire import Evaluation
from aegis_dashboard.components import brain_charts
from aegis_dashboard.components.brain_figures import asked_of, history, score_tiles, wrong_list
from aegis_dashboard.components.markup import Html, div, draw, span, tag
from aegis_dashboard.components.page import away_banner, empty, section, viewer_clock
from aegis_dashboard.feed import load

REFRESH_SECONDS: Final = 10
HOW: Final = "Run `aegis eval FOLDER` on recorded cases, or `aegis eval --from-store` on your own resolved incidents."


@st.fragment(run_every=REFRESH_SECONDS)
def _brain() -> None:
    loaded = load(lambda feed: feed.evaluations())
    away_banner(loaded.away)
    clock = viewer_clock()
    if not loaded.view:
        draw(section("Brain", sample=loaded.sample))
        draw(empty("Nothing measured yet.", HOW.replace("`", "")))
        return
    one = _chosen(loaded.view, clock)
    draw(section("How good it was"))
    draw(score_tiles(one))
    draw(asked_of(one, clock))
    _charts(one)
    if one.wrong:
        draw(section("What went wrong", span("the worst first", cls="ag-muted")))
        draw(wrong_list(one.wrong))
    draw(section("All evaluations", span("the same cases tell models and prompts apart", cls="ag-muted")))
    draw(history(loaded.view, clock))
    draw(_without_own(loaded.view))


def _chosen(evaluations: Sequence[Evaluation], clock: fmt.Clock) -> Evaluation:
    """The one to look at; the newest, until another one is chosen."""
    named = {f"{one.at.isoformat()} {one.brain}": one for one in evaluations}

    def told(name: str) -> str:
        one = named[name]
        where = one.origin if one.own else f"cases in {one.origin}"
        return f"{one.brain} on {one.score.cases} {where}, {clock.day(one.at)}"

    chosen = st.selectbox("Evaluation", [*named], format_func=told, key="evaluation")
    return named.get(chosen or "", evaluations[0])


def _charts(one: Evaluation) -> None:
    left, right = st.columns([1, 1.6])
    if one.score.calibration.bins:
        _chart(left, "How sure, and how often right", brain_charts.reliability(one.score.calibration.bins), "sure")
    if one.score.confusion:
        _chart(right, "What was said where", brain_charts.confusion(one.score.confusion), "said")


def _chart(column: st.delta_generator.DeltaGenerator, title: str, chart: alt.Chart, key: str) -> None:
    with column.container(border=True, key=f"chart-{key}"):
        draw(div(tag("h4", title), cls="ag-panel-head"))
        st.altair_chart(chart, key=f"vega-{key}", theme="streamlit")


def _without_own(evaluations: Sequence[Evaluation]) -> Html:
    """How one's own history is replayed, until it has been."""
    if any(one.own for one in evaluations):
        return div()
    return div("Your own incidents were not replayed yet: ", tag("code", "aegis eval --from-store"), cls="ag-muted")


_brain()
