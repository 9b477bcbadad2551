"""Opinions: what each agent would do, how sure it is of that, and why (DESIGN §6)."""

from .action import Action
from .events import Agent
from .model import Stored


class Opinion(Stored):
    """One agent's vote. It is stored as it was given: whether it counts is for the consensus to say."""

    agent: Agent
    action: Action
    confidence: float
    reason: str
