"""Approve: what becomes of a question to people that nobody answers with yes."""

from collections.abc import Sequence

from aegis_core.domain.events import Agent, Draft
from aegis_core.domain.incident import Incident

from .tools import Tools, failed, rested


def approve(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """End what was declined or has expired; look anew at what its sender has taken back. Nothing is ever done here.

    A yes needs no stage: it is an event that decides.
    """
    asked = incident.approval
    if asked is None:
        return ()
    if asked.approved is False:
        said = f" {asked.comment}" if asked.comment else ""
        return (failed(Agent.RESOLUTION, f"{asked.by} has declined {asked.action}; nothing was done.{said}"),)
    now = tools.clock()
    if incident.cleared_at and incident.cleared_at >= asked.asked_at:
        return (rested(now, "Whoever reported it has said meanwhile that it is over."),)
    if now >= asked.expires_at:
        reason = f"Nobody answered in time whether {asked.action} may be done; nothing was done."
        return (failed(Agent.RESOLUTION, reason),)
    return (rested(now, "It was reported again after it seemed to be over: it is looked at anew."),)
