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
    """Mappings from the lead of the heaviest weight to the share of right answers; linear between their knots.

    The lead is the weight less `rival` times the weight of the second. `knots` hold for wording alone, `state` where
    the runtime knows the target, so that exit codes, health and figures stand beside the words.
    """

    origin: str = Field(min_length=15)  # on what the knots were fitted, and how
    rival: float = Field(ge=0, le=1)
    knots: tuple[Knot, ...] = Field(min_length=2)
    state: tuple[Knot, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _rises(self) -> "Confidence":
        pairs = (*pairwise(self.knots), *pairwise(self.state))
        if any(later.lead <= earlier.lead or later.sure < earlier.sure for earlier, later in pairs):
            raise ValueError("more lead never makes less sure")
        return self

    def of(self, weights: Sequence[float], *, known: bool = False) -> float:
        """Say how sure the heaviest of some weights (0 to 1, the heaviest first) makes; 0 without any.

        `known` tells whether the runtime knows the target.
        """
        if not weights:
            return 0.0
        knots = self.state if known else self.knots
        lead = max(0.0, weights[0] - self.rival * (weights[1] if len(weights) > 1 else 0.0))
        for low, high in pairwise(knots):
            if lead <= high.lead:
                share = max(0.0, lead - low.lead) / (high.lead - low.lead)
                return low.sure + share * (high.sure - low.sure)
        return knots[-1].sure


def read_confidence() -> Confidence:
    """Read the fitted mapping. Raises ValueError (of pydantic or TOML) for a broken file."""
    text = files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    return Confidence.model_validate(tomllib.loads(text))
