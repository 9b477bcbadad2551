"""What agents vote, what people are asked and say, as the core answers it."""

from collections.abc import Mapping

from aegis_dashboard.fields import Moment, Text, Texts, Wire


class Opinion(Wire):
    """What one agent would do."""

    agent: Text = ""
    action: Text = ""
    confidence: float | None = None
    reason: Text = ""


class Consensus(Wire):
    """What the votes come to: how sure they are of it together, who abstained, and whose vote does not count."""

    action: Text = ""
    confidence: float | None = None
    votes: int = 0
    abstained: Mapping[str, str] = {}
    set_aside: Mapping[str, str] = {}


class Ref(Wire):
    name: Text = ""
    id: Text = ""


class Shown(Wire):
    """The target as it was when people were asked."""

    ref: Ref = Ref()
    run: Text = ""
    image: Text = ""
    started_at: Moment | None = None


class Approval(Wire):
    """A question to people; `approved` is None as long as nobody has answered."""

    action: Text = ""
    shown: Shown | None = None
    reasons: Texts = ()
    asked_at: Moment | None = None
    expires_at: Moment | None = None
    approved: bool | None = None
    by: Text = ""
    via: Text = ""
    comment: Text = ""
    answered_at: Moment | None = None


class Comment(Wire):
    by: Text = ""
    text: Text = ""
    at: Moment | None = None


class Standing(Wire):
    """A target that is left alone, or all of them (`*`): by whom and until when."""

    target: Text = ""
    maintenance_until: Moment | None = None
    quarantined_until: Moment | None = None
    reason: Text = ""
    by: Text = ""

    @property
    def everywhere(self) -> bool:
        return self.target == "*"


class Postmortem(Wire):
    """GET /incidents/{id}/postmortem; `written_by` names the model that its summary is by, if any."""

    markdown: Text = ""
    written_by: Text = ""
