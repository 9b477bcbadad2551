"""Hold: while people are at work on a target, nobody looks at it, asks a model about it, or does anything."""

from collections.abc import Sequence

from aegis_core.domain.events import Draft
from aegis_core.domain.incident import Incident
from aegis_core.domain.standing import maintenance

from .tools import Tools, rested


def hold(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Let the incident rest while maintenance lasts; afterwards it is looked at, and is perhaps over by then."""
    paused = maintenance(tools.standings.of(incident.target), tools.clock())
    return (rested(*paused),) if paused else ()
