"""What an incident teaches: failures too, and nothing where nothing was done."""

from aegis_core.domain.action import Action
from aegis_core.domain.events import EventType
from aegis_core.domain.incident import Incident
from aegis_core.domain.lesson import Lesson, Outcome, outcomes_of, signature_of
from aegis_core.pipeline.learn import CAUSE_CHARACTERS, ISSUE_CHARACTERS, MOST_OUTCOMES, learn
from tests import examples as make

from .scene import kinds

ACTED = (
    make.gathered(make.state(image="shop/web:1")),
    make.diagnosed(),
    make.decided(),
    make.intended(),
    make.executed(),
)


def lesson(incident: Incident) -> Lesson:
    drafts = learn(incident)
    assert kinds(drafts) == [EventType.LESSON_LEARNED]
    return Lesson.model_validate(drafts[0].data["lesson"])


def test_what_was_healed_is_a_lesson_that_held() -> None:
    incident = make.incident(*ACTED, make.verified(healthy=True), make.resolved())
    learned = lesson(incident)
    assert (learned.incident_id, learned.container, learned.fault) == (incident.id, "web", incident.fault)
    assert (learned.fix, learned.verified_healthy, learned.attempts) == (Action.RESTART, True, 1)
    assert (learned.root_cause, learned.source, learned.category) == ("A cache grows without bound.", "rules", "oom")
    assert learned.image == "shop/web:1"
    assert incident.evidence
    assert learned.signature == signature_of(incident.evidence)
    assert learned.timestamp == incident.closed_at


def test_what_did_not_help_is_a_lesson_too() -> None:
    assert not lesson(make.incident(*ACTED, make.verified(healthy=False), make.failed())).verified_healthy


def test_an_end_that_was_not_seen_running_does_not_raise_trust() -> None:
    left = make.verified(healthy=True, name="as a person left it")
    assert not lesson(make.incident(*ACTED, left, make.resolved())).verified_healthy


def test_a_failed_end_does_not_raise_trust_whatever_was_verified_before() -> None:
    assert not lesson(make.incident(*ACTED, make.verified(healthy=True), make.failed())).verified_healthy


def test_a_lesson_tells_what_each_action_led_to() -> None:
    failed = (make.diagnosed(), make.intended(), make.executed(), make.verified(healthy=False))
    healed = (make.rested(make.later(1)), *ACTED, make.verified(healthy=True), make.resolved())
    learned = lesson(make.incident(*failed, *healed))
    assert [(one.action, one.healthy) for one in learned.outcomes] == [(Action.RESTART, False), (Action.RESTART, True)]


def test_a_success_that_ended_failed_is_none() -> None:
    learned = lesson(make.incident(*ACTED, make.verified(healthy=True), make.failed()))
    assert [one for one in outcomes_of(learned) if one.healthy] == []


def test_what_is_kept_is_masked_and_bounded() -> None:
    """A model that repeats a secret, or itself, cannot get it into the runbook."""
    said = make.diagnosis(root_cause="It logs in with password=hunter2hunter2\x00\n and fails. " + "x" * 10_000)
    drafts = (make.received(target="w" * 5_000), make.gathered(), make.diagnosed(said), *ACTED[2:])
    tries = [make.verified(healthy=False)] * 50
    incident = make.incident(*drafts, *tries, make.failed())
    learned = lesson(incident)
    assert "hunter2" not in learned.root_cause
    assert "\n" not in learned.root_cause
    assert len(learned.root_cause) == CAUSE_CHARACTERS
    assert len(learned.issue) == ISSUE_CHARACTERS
    assert len(learned.outcomes) == MOST_OUTCOMES
    assert learned.outcomes[0] == Outcome(action=Action.RESTART, healthy=False, source="rules", confidence=0.9)


def test_where_nothing_was_done_there_is_nothing_to_learn() -> None:
    assert learn(make.incident(make.gathered(), make.failed("not opted in"))) == ()
    assert learn(make.incident(*ACTED[:4], make.called_off(), make.failed())) == ()


def test_a_lesson_is_learned_once_and_at_the_end() -> None:
    assert learn(make.incident(*ACTED)) == ()
    assert learn(make.incident(*ACTED, make.failed(), make.learned())) == ()


def test_an_incident_that_ended_before_anybody_looked_can_be_learned_from() -> None:
    learned = lesson(make.incident(make.intended(), make.executed(), make.failed()))
    assert (learned.root_cause, learned.source, learned.signature) == ("not known", "", "")
