"""The table of incidents: rows that can be clicked, drawn in the browser by `assets/incident_table.js`.

Streamlit's own table is a canvas and knows a chosen row by its place only, which moves when an incident arrives.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import streamlit as st

from aegis_dashboard import format as fmt
from aegis_dashboard import names
from aegis_dashboard.components.chips import status_word
from aegis_dashboard.wire import Brief

_SCRIPT: Final = (Path(__file__).resolve().parent.parent / "assets" / "incident_table.js").read_text(encoding="utf-8")


def incident_table(incidents: Sequence[Brief], clock: fmt.Clock) -> str | None:
    """Draw the table; returns the id of the incident that was clicked, once."""
    component = st.components.v2.component("aegis_incident_table", js=_SCRIPT, isolate_styles=False)
    rows = [row(incident, clock) for incident in incidents]
    clicked = component(data=rows, key="incident-table", on_picked_change=lambda: None)
    picked: str | None = clicked.picked
    return picked


def row(incident: Brief, clock: fmt.Clock) -> dict[str, Any]:
    """One row as plain text; the script puts it on the page as text."""
    word, tone = status_word(incident.status)
    seconds = incident.seconds if incident.closed else clock.since(incident.opened_at)
    return {
        "id": incident.incident_id,
        "status": word,
        "tone": str(tone),
        "fault": fmt.title(incident.fault),
        "target": names.target(incident.container_name),
        "opened": clock.day(incident.opened_at),
        "opened_utc": fmt.utc(incident.opened_at),
        "took": fmt.duration(seconds) + ("" if incident.closed else " so far"),
        "action": incident.action or fmt.NOTHING,
        "source": _source(incident),
        "cause": _cause(incident, clock),
    }


def _cause(incident: Brief, clock: fmt.Clock) -> str:
    """Why it failed, until when it waits, or else the root cause."""
    waits = f"Waits until {clock.time(incident.waits_until)}" if incident.waits else ""
    return incident.error or waits or incident.root_cause or fmt.NOTHING


def _source(incident: Brief) -> str:
    if not incident.source:
        return fmt.NOTHING
    return f"{incident.source} {fmt.confidence(incident.confidence)}"
