"""What an incident looks like at several widths."""

import io
from datetime import datetime

import pytest
from rich.console import Console, RenderableType

from aegis_core.api import views
from aegis_core.cli.output import Tone
from aegis_core.cli.render import incident_page, incident_table, lesson_page
from aegis_core.cli.story import Told, way
from aegis_core.cli.view import EventLine, memory_bar, stepper, tone_of
from aegis_core.cli.wire import Brief, Detail, Happening, Seen
from aegis_core.domain.events import Agent, Draft
from aegis_core.domain.incident import Status
from aegis_core.domain.opinion import Opinion, consensus
from aegis_core.domain.target import Health, Limits, RunState, Usage
from tests.examples import (
    NOON,
    asked,
    decided,
    decision,
    diagnosed,
    events_of,
    executed,
    failed,
    gathered,
    incident,
    intended,
    later,
    learned,
    lesson,
    opined,
    received,
    resolved,
    verified,
)

HEALED = (gathered(), diagnosed(), decided(), intended(), executed(), verified(True), resolved(), learned())
WIDTHS = (60, 80, 120)


def drawn(what: RenderableType, width: int = 80) -> str:
    paper = io.StringIO()
    Console(file=paper, width=width, highlight=False).print(what)
    return paper.getvalue()


def shown(*drafts: Draft) -> list[Happening]:
    return [Happening.model_validate(views.event(event)) for event in events_of(*drafts)]


def detail(*drafts: Draft) -> Detail:
    return Detail.model_validate(views.detail(incident(*drafts)))


def test_the_votes_are_listed_with_who_abstained_and_whose_do_not_count() -> None:
    given = [Opinion(agent=Agent.DIAGNOSIS, action="EXPLODE", confidence=0.9, reason="It hangs.")]
    together = consensus(given, "web", abstained={Agent.PREDICTION: "It knows nothing of this image."})
    made = decision().model_copy(update={"consensus": together})
    page = drawn(incident_page(detail(gathered(), diagnosed(), opined(), decided(made)), shown(received()), NOON), 120)
    assert "diagnosis: RESTART, 0.90 sure. It hangs." in page
    assert "prediction: abstains. It knows nothing of this image." in page
    assert "diagnosis: does not count. there is no action 'EXPLODE'" in page


def test_a_persons_answer_is_a_step_of_the_way_only_where_one_is_asked_for() -> None:
    asks = drawn(stepper(way(shown(received(), gathered(), diagnosed(), asked()))), 120)
    assert "▸ Approval" in asks
    assert "Approval" not in drawn(stepper(way(shown(received(), *HEALED))), 120)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_terminal(width: int) -> None:
    told = Told("a headline " * 20, lines=(("x" * 300, Tone.PLAIN),))
    page = incident_page(detail(*HEALED), shown(received(), *HEALED), NOON)
    for what in (EventLine("1 min 05 s", "communication", told, "target"), page, lesson_page([lesson()], NOON)):
        assert max(len(line) for line in drawn(what, width).splitlines()) <= width


def test_a_line_of_the_story_ends_without_blanks_and_is_indented_under_its_headline() -> None:
    lines = drawn(EventLine("0.1 s", "detection", Told("seen", lines=(("more", Tone.PLAIN),)))).splitlines()
    assert [line.rstrip() for line in lines] == lines
    assert lines[0].index("seen") == lines[1].index("more")


def test_the_page_of_an_incident_tells_why_what_and_whether_it_held() -> None:
    page = drawn(incident_page(detail(*HEALED), shown(received(), *HEALED), NOON), 120)
    for words in ("A cache grows without bound.", "RESTART, by rules 0.90 sure", "✔ running: as seen", "RESOLVED"):
        assert words in page


def test_markup_in_an_incident_is_shown_as_text() -> None:
    page = drawn(incident_page(detail(failed("[bold]not[/bold] [link=x]")), shown(received()), NOON), 120)
    assert "[bold]not[/bold] [link=x]" in page


def test_the_way_marks_what_is_passed_what_is_under_way_and_what_is_ahead() -> None:
    under_way = drawn(stepper(way(shown(received(), gathered())), later(3)))
    assert "✔ Received" in under_way
    assert "· Resolved" in under_way
    assert "3.0 s" in under_way
    ended = drawn(stepper({Status.RECEIVED: NOON, Status.FAILED: later(2)}))
    assert "✘ Failed" in ended
    assert "Resolved" not in ended


def test_a_wide_terminal_shows_more_of_the_list() -> None:
    row = Brief.model_validate(views.brief(incident(*HEALED)))
    narrow, wide = drawn(incident_table([row], NOON, 80), 80), drawn(incident_table([row], NOON, 120), 120)
    assert "rules 0.90" in wide
    assert "rules" not in narrow
    assert "RESOLVED" in narrow


def test_a_starter_lesson_is_advice_and_not_a_success() -> None:
    page = drawn(lesson_page([lesson(attempts=0, verified_healthy=False, fix="RESTART helps.")], NOON))
    assert "advice" in page
    assert "held" not in page


@pytest.mark.parametrize(("percent", "tone"), [(10.0, Tone.GOOD), (75.0, Tone.WARN), (91.0, Tone.BAD)])
def test_memory_is_coloured_by_how_near_its_limit_is(percent: float, tone: Tone) -> None:
    assert tone_of(percent) is tone


def test_the_memory_bar_tells_the_limit_and_says_when_nothing_was_measured() -> None:
    limits = Limits(memory_bytes=192 * 2**20)
    seen = Seen(name="web", run=RunState.RUNNING, limits=limits, usage=_usage(91.0, NOON))
    assert "91 % of 192 MiB" in drawn(memory_bar(seen, 30))
    blind = Seen(name="web", run=RunState.EXITED, health=Health.NONE, limits=limits)
    assert "not measured (exited" in drawn(memory_bar(blind, 30))


def _usage(percent: float, at: datetime) -> Usage:
    return Usage(at=at, memory_bytes=1, memory_percent=percent)
