"""Undo: what has proven itself is made final; what has not helped is taken back, before anything else is tried."""

from collections.abc import Sequence

from aegis_core.domain.action import Action
from aegis_core.domain.events import Agent, Draft
from aegis_core.domain.incident import Incident
from aegis_core.errors import ActionUnsupported, NotUndone, TargetGone

from .outcome import concluded, undone
from .tools import Tools, failed

NOTHING_LEFT = "Nothing of it was left to take back."


def undo(incident: Incident, tools: Tools) -> Sequence[Draft]:
    """Keep or take back a SCALE_UP or ROLLBACK that was verified, and conclude.

    Raises RuntimeUnavailable, StoreUnavailable: the stage is run again, and what was done of it is not done twice.
    """
    intent, judgement = incident.intent, incident.judgement
    if intent is None or judgement is None or not intent.reversible:
        return ()
    if judgement.healthy:
        tools.reverter.settle(intent)
        if intent.action is Action.ROLLBACK:  # what it was gone back from is nothing to go back to
            tools.releases.forget(incident.target, intent.before.image_id)
        return concluded(incident, judgement, tools)
    try:
        seen = tools.reverter.undo(intent) or NOTHING_LEFT
    except (NotUndone, ActionUnsupported, TargetGone) as error:
        told = "; ".join(judgement.failures)
        return (failed(Agent.RESOLUTION, f"{intent.action} did not help: {told}. It could not be undone: {error}"),)
    return (undone(seen), *concluded(incident, judgement, tools))
