"""Predict: what the forecast and the runbook make one expect of an action. The voice of prediction; it may abstain."""

from aegis_core.domain.action import Action
from aegis_core.domain.evidence import Evidence
from aegis_core.domain.incident import Incident
from aegis_core.domain.trust import trust_of
from aegis_core.domain.voices import Voice, prediction

from .tools import Tools


def predict(incident: Incident, evidence: Evidence, proposed: Action, tools: Tools) -> Voice:
    """Look up what is to be expected. Raises RunbookError."""
    image = evidence.target.image if evidence.target else ""
    trust = trust_of(tools.runbook.lessons(), incident.fault, image, proposed, tools.clock())
    forecast = tools.sightings.forecast(incident.target)
    return prediction(evidence, proposed, trust, forecast.words if forecast else "")
