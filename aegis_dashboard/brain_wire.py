"""GET /evaluations as the dashboard reads it: how good the brain was. Shares are 0 to 1."""

from collections.abc import Mapping
from typing import Final

from aegis_dashboard.fields import Moment, Text, Texts, Wire
from aegis_dashboard.wire import Diagnosis

OWN_INCIDENTS: Final = "own incidents"
"""What the core names the origin of questions that it made of the incidents of its own store."""


class Rate(Wire):
    """`hits` of `of`, with its 95 % interval; None where there was nothing to count."""

    hits: int = 0
    of: int = 0
    share: float | None = None
    low: float | None = None
    high: float | None = None


class Spread(Wire):
    median: float = 0.0
    p95: float = 0.0


class Bin(Wire):
    """Answers of about the same confidence: how many, the mean of what they claimed, and how many were right."""

    low: float = 0.0
    high: float = 1.0
    count: int = 0
    confidence: float = 0.0
    right: float = 0.0


class Calibration(Wire):
    ece: float | None = None
    bins: tuple[Bin, ...] = ()


class Confusion(Wire):
    right: Text = ""
    said: Text = ""
    count: int = 0


class Score(Wire):
    """The figures; what each means is told at `aegis_core.domain.score`."""

    cases: int = 0
    root_cause: Rate = Rate()
    root_cause_macro_f1: float | None = None
    action: Rate = Rate()
    action_acceptable: Rate = Rate()
    action_macro_f1: float | None = None
    action_recall: Mapping[str, Rate] = {}
    wrong_act: Rate = Rate()
    acted: Rate = Rate()
    abstained: Rate = Rate()
    calibration: Calibration = Calibration()
    calibration_of_action: Calibration = Calibration()
    seconds: Spread | None = None
    prompt_tokens: Spread | None = None
    answer_tokens: Spread | None = None
    answered_by: Mapping[str, int] = {}
    confusion: tuple[Confusion, ...] = ()


class Expected(Wire):
    """What would have been right; without an action, `allowed` leaves out what is known to be wrong."""

    category: Text = ""
    action: Text = ""
    allowed: Texts = ()
    certainty: Text = ""


class Wrong(Wire):
    """An answer that was not right, or that there was not."""

    id: Text = ""
    container_name: Text = ""
    expected: Expected = Expected()
    analysis: Diagnosis | None = None
    problem: Text = ""
    wrong_act: bool = False


class Evaluation(Wire):
    """An item of GET /evaluations."""

    at: Moment
    brain: Text = ""
    origin: Text = ""
    version: Text = ""
    prompt: Text = ""
    score: Score = Score()
    wrong: tuple[Wrong, ...] = ()

    @property
    def own(self) -> bool:
        """Whether it was asked about the incidents of this very store."""
        return self.origin == OWN_INCIDENTS
