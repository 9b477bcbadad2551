"""Confidence: how often a lead of such a weight has been right, as fitted on real cases."""

import tomllib
from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise
from typing import Final

from pydantic import Field, model_validator

from aegis_core.domain.model import Value

FILE: Final = "confidence.toml"


class Knot(Value):
    """One point of the mapping: at this lead, so sure."""

    lead: float = Field(ge=0, le=1)
    sure: float = Field(ge=0, le=0.95)


class Confidence(Value):
    """A mapping from the lead of the heaviest weight to the share of right answers; linear between its knots.

    The lead is the weight less `rival` times the weight of the second.
    """

    origin: str = Field(min_length=15)  # on what the knots were fitted, and how
    rival: float = Field(ge=0, le=1)
    knots: tuple[Knot, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _rises(self) -> "Confidence":
        if any(later.lead <= earlier.lead or later.sure < earlier.sure for earlier, later in pairwise(self.knots)):
            raise ValueError("more lead never makes less sure")
        return self

    def of(self, weights: Sequence[float]) -> float:
        """Say how sure the heaviest of some weights (0 to 1, the heaviest first) makes; 0 without any."""
        if not weights:
            return 0.0
        lead = max(0.0, weights[0] - self.rival * (weights[1] if len(weights) > 1 else 0.0))
        if lead >= self.knots[-1].lead:
            return self.knots[-1].sure
        for low, high in pairwise(self.knots):
            if lead <= high.lead:
                share = max(0.0, lead - low.lead) / (high.lead - low.lead)
                return low.sure + share * (high.sure - low.sure)
        return self.knots[-1].sure


def read_confidence() -> Confidence:
    """Read the fitted mapping. Raises ValueError (of pydantic or TOML) for a broken file."""
    text = files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return Confidence.model_validate(tomllib.loads(text))
