"""GET /trust and GET /reliability as the dashboard reads them. Shares and confidences are 0 to 1."""

from aegis_dashboard.brain_wire import Calibration, Rate
from aegis_dashboard.fields import Moment, Text, Wire


class Trust(Wire):
    """How far an action is trusted for a fault of an image; `reflexes` are the troubles that it answers at once."""

    fault: Text = ""
    image: Text = ""
    action: Text = ""
    successes: int = 0
    failures: int = 0
    streak: int = 0
    mean: float | None = None
    lower: float | None = None
    reflexes: int = 0
    newest_at: Moment | None = None


class TrustReport(Wire):
    """All of it, the newest outcome first; `rule` says in words when something is answered by reflex."""

    items: tuple[Trust, ...] = ()
    rule: Text = ""


class Reliability(Wire):
    """One source of diagnoses: how often its actions helped, and how sure it had been."""

    source: Text = ""
    verified: Rate = Rate()
    confidence: float | None = None
    brier: float | None = None
    calibration: Calibration = Calibration()


class ReliabilityReport(Wire):
    sources: tuple[Reliability, ...] = ()
