"""What a person says about an incident enters the log while somebody may be at work on it."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from aegis_core.domain.approval import Via
from aegis_core.domain.events import Draft
from aegis_core.domain.incident import Incident, Status
from aegis_core.errors import Fenced, IncidentUnknown
from aegis_core.ports import Claim
from tests import examples as make
from tests.examples import NOON, later

from .stores import Store


def claimed(store: Store) -> Claim:
    store.open(make.signal(), NOON)
    [claim] = store.queue.claim(1, later(1))
    return claim


def yes(_: Incident) -> Sequence[Draft]:
    return [make.approved()]


def comment(_: Incident) -> Sequence[Draft]:
    return [make.commented()]


def test_an_answer_moves_the_incident_on_and_says_who_gave_it(store: Store) -> None:
    claim = claimed(store)
    waiting = store.events.append(claim, [make.asked()], later(2)).incident
    assert (waiting.status, waiting.wake_at) == (Status.AWAITING_APPROVAL, NOON + timedelta(minutes=30))
    after = store.events.answer(waiting.id, yes, later(3))
    assert after.status is Status.DECIDED
    assert after.approval is not None
    assert (after.approval.approved, after.approval.by, after.approval.via) == (True, "ann", Via.API)
    assert store.incidents.get(waiting.id) == after


def test_whoever_was_at_work_is_fenced_off_by_an_answer(store: Store) -> None:
    claim = claimed(store)
    claim = store.events.append(claim, [make.asked()], later(2))
    store.events.answer(claim.incident.id, yes, later(3))
    with pytest.raises(Fenced):
        store.events.append(claim, [make.failed("It has expired.")], later(4))
    assert [one.incident.id for one in store.queue.claim(1, later(5))] == [claim.incident.id]


def test_a_comment_disturbs_nobody_who_is_at_work_and_wakes_nobody(store: Store) -> None:
    claim = claimed(store)
    claim = store.events.append(claim, [make.asked()], later(2))
    after = store.events.answer(claim.incident.id, comment, later(3))
    assert [one.text for one in after.comments] == ["I am on it."]
    assert after.wake_at == NOON + timedelta(minutes=30)
    more = store.events.append(claim, [make.failed()], later(4))
    assert more.incident.comments == after.comments


def test_what_is_refused_within_the_answer_writes_nothing(store: Store) -> None:
    claim = claimed(store)

    def refuse(_: Incident) -> Sequence[Draft]:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - the one that was raised above
        store.events.answer(claim.incident.id, refuse, later(2))
    assert store.incidents.get(claim.incident.id) == claim.incident


def test_nobody_answers_about_an_incident_that_is_not_there(store: Store) -> None:
    with pytest.raises(IncidentUnknown):
        store.events.answer("none", comment, NOON)
