"""What every page has: the viewer's clock, headings, empty states, and the banner while the core is away."""

from datetime import UTC, datetime

import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard.components.chips import chip
from aegis_dashboard.components.markup import Child, Html, div, draw, span, tag
from aegis_dashboard.core_client import CoreAway
from aegis_dashboard.story import Tone


def viewer_clock() -> fmt.Clock:
    """Now, in the zone of the viewer's browser."""
    zone = fmt.zone_of(st.context.timezone, st.context.timezone_offset)
    return fmt.Clock(datetime.now(UTC), zone)


def section(title: str, *aside: Child, sample: bool = False) -> Html:
    """The heading of a part of a page; samples are marked in every one of them."""
    mark = chip("SAMPLES", Tone.WARN, hint="invented incidents, shown while the core is away") if sample else None
    return div(tag("h2", title), mark, *aside, cls="ag-section")


def empty(title: str, text: str) -> Html:
    """A friendly place where nothing is yet."""
    return div(div(title, cls="ag-lead"), div(text, cls="ag-muted"), cls="ag-empty")


def away_banner(away: CoreAway | None) -> None:
    """Say plainly that the core is away, what was tried and what to do; nothing while it answers."""
    if away is None:
        return
    draw(
        div(
            div(
                tag("strong", "The core does not answer."), " Tried ", tag("code", away.url), f": {away.reason}. ",
                "It is tried again every few seconds.",
            ),
            div(
                "Start it with ", tag("code", "aegis serve"), ", or set ", tag("code", "AEGIS_URL"),
                " to where it runs and start the dashboard again.",
            ),
            div(chip("SAMPLES", Tone.WARN), span(" What you see below is invented. None of it is your data.")),
            cls="ag-banner ag-warn", role="alert",
        )
    )  # fmt: skip
