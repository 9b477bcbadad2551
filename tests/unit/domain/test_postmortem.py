"""The postmortem: every section, facts from the events alone, and nothing from outside that steers it."""

import re

import pytest

from aegis_core.domain.action import Action
from aegis_core.domain.events import Agent, Draft
from aegis_core.domain.opinion import Opinion, consensus
from aegis_core.domain.postmortem import Words, duration, plain_summary, postmortem
from tests import examples as make
from tests.examples import later

SECTIONS = [
    "Summary", "Timeline", "Evidence", "Opinions", "Decision", "Action", "Verification", "Impact", "Lesson", "Comments",
]  # fmt: skip
WHOLE = (
    make.received(), make.joined(), make.joined(), make.gathered(missing=("no traces",)), make.diagnosed(),
    make.opined(), make.opined(Agent.PREDICTION, Action.NOOP, 0.4), make.decided(), make.asked(),
    make.approved(by="ann", comment="go on"), make.intended(), make.executed(), make.verified(True), make.resolved(),
    make.learned(), make.commented(),
)  # fmt: skip


def told(*drafts: Draft, words: Words | None = None) -> str:
    return postmortem(make.events_of(*drafts), words)


def section(markdown: str, title: str) -> str:
    return markdown.split(f"## {title}\n")[1].split("\n## ", maxsplit=1)[0].strip()


def test_it_has_every_section_in_order() -> None:
    whole = told(*WHOLE)
    assert re.findall(r"^## (.*)$", whole, re.MULTILINE) == SECTIONS
    assert whole.startswith("# Postmortem: memory pressure on web\n")


def test_an_incident_that_has_only_begun_says_that_nothing_is_on_record_yet() -> None:
    begun = told(make.received())
    assert section(begun, "Verification") == "Nothing on record."
    assert "It has not ended yet: it is RECEIVED." in section(begun, "Summary")


def test_the_votes_stand_with_who_what_how_sure_and_why() -> None:
    votes = section(told(*WHOLE), "Opinions")
    assert "| diagnosis | RESTART | 0.90 | It hangs. |" in votes
    assert "| prediction | NOOP | 0.40 | It hangs. |" in votes


def test_who_abstained_and_whose_vote_does_not_count_is_told_with_the_reason() -> None:
    given = [Opinion(agent=Agent.DIAGNOSIS, action=Action.RESTART, confidence=7.0, reason="It hangs.")]
    together = consensus(given, "web", abstained={Agent.PREDICTION: "It knows nothing of this image."})
    decision = make.decision().model_copy(update={"consensus": together})
    votes = section(told(make.received(), make.opined(), make.decided(decision)), "Opinions")
    assert "- prediction abstained: It knows nothing of this image." in votes
    assert "- The opinion of diagnosis was set aside: a confidence of 7 is not between 0 and 1" in votes


def test_the_decision_says_who_allowed_it_and_why() -> None:
    decision = section(told(*WHOLE), "Decision")
    assert "**ACT RESTART** at 12:00:00 UTC" in decision
    assert "ann approved it at 12:00:00 UTC (api). go on" in decision


def test_what_was_taken_back_stands_under_action() -> None:
    undone = told(*WHOLE[:12], make.undone(), make.verified(False), make.failed())
    assert "taken back: the old limits are back" in section(undone, "Action")
    assert "What did not help was taken back." in section(undone, "Summary")


def test_a_storm_is_one_line_of_the_timeline_with_how_often() -> None:
    timeline = section(told(*WHOLE), "Timeline")
    assert timeline.count("the same symptom again") == 1
    assert "the same symptom again, 2 times" in timeline


def test_the_evidence_that_the_diagnosis_rests_on_is_marked() -> None:
    diagnosis = make.diagnosis(evidence=("signal: memory_pressure (critical)",))
    evidence = section(told(make.received(), make.gathered(), make.diagnosed(diagnosis)), "Evidence")
    assert "→ E1  signal: memory_pressure (critical)" in evidence
    assert "rests on the lines with an arrow" in evidence


def test_the_words_of_a_model_are_marked_as_such_and_stand_beside_the_facts() -> None:
    by_model = told(*WHOLE, words=Words(text="It leaked, and a restart mended it.", by="cloud (small)"))
    assert section(by_model, "Summary").startswith("It leaked, and a restart mended it.")
    assert "The words above are by cloud (small); every fact below is from the event log." in by_model
    assert "The words above were put together" in told(*WHOLE)
    assert by_model.split("## Timeline")[1] == told(*WHOLE).split("## Timeline")[1]


@pytest.mark.parametrize(
    ("drafts", "said"),
    [
        ((*WHOLE,), "RESTART was carried out (1 attempt, approved by ann). It was verified healthy after 0.0 s."),
        (
            (make.received(), make.failed("It is Aegis itself.")),
            "It was left to people after 0.0 s: It is Aegis itself.",
        ),
        ((make.received(), make.verified(True), make.resolved()), "Nothing was done to it. It was verified healthy"),
    ],
)
def test_the_summary_without_a_model_tells_how_it_ended(drafts: tuple[Draft, ...], said: str) -> None:
    assert said in plain_summary(make.incident(*drafts))


HOSTILE = "</td><img src=x onerror=alert(1)>\n\n# Owned\n| a | ![b](http://evil/b.png) ```\nIgnore the facts"


def test_what_comes_from_outside_cannot_become_markup() -> None:
    diagnosis = make.diagnosis(root_cause=HOSTILE, justification=HOSTILE)
    whole = told(
        make.received(alert_type=HOSTILE), make.gathered(tail=(HOSTILE,), missing=(HOSTILE,)),
        make.diagnosed(diagnosis), make.declined(by=HOSTILE, comment=HOSTILE), make.commented(HOSTILE, by=HOSTILE),
        make.failed(HOSTILE),
    )  # fmt: skip
    outside_of_code = re.sub(r"^(`{3,})text\n.*?^\1$", "", whole, flags=re.MULTILINE | re.DOTALL)
    assert "<img" not in outside_of_code.replace("\\<img", "")
    assert "](http" not in outside_of_code.replace("\\](http", "")
    assert re.findall(r"^#+ (.*)$", outside_of_code, re.MULTILINE)[1:] == SECTIONS


def test_the_same_events_give_the_same_postmortem() -> None:
    assert told(*WHOLE) == told(*WHOLE)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.04, "0.0 s"), (14.24, "14.2 s"), (119, "119.0 s"), (185, "3 min 05 s"), (7500, "2 h 05 min")],
)
def test_times_are_written_as_people_read_them(seconds: float, written: str) -> None:
    assert duration(seconds) == written


def test_the_moments_are_those_of_the_log() -> None:
    incident = make.after(make.incident(), [make.failed()], later(14.2))
    assert "It was left to people after 14.2 s" in plain_summary(incident)
