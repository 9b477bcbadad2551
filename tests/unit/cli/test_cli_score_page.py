"""An evaluation as people read it in a terminal."""

from rich.console import Console

from aegis_core.cli.score_page import MOST_WORST, score_page
from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category, Diagnosis, Tokens
from aegis_core.domain.evaluation import Evaluation
from aegis_core.domain.score import score
from aegis_core.domain.trial import Answered
from tests.examples import NOON
from tests.unit.domain.trials import answered, question, said

NOOP, RESTART, SCALE_UP = Action.NOOP, Action.RESTART, Action.SCALE_UP
OOM, DNS = Category.OOM, Category.DNS_FAILURE


def shown(*answers: Answered, prompt: str = "") -> str:
    one = Evaluation(
        at=NOON, brain="cloud", origin="cases", version="1.2", prompt=prompt, score=score(answers), answers=answers
    )
    console = Console(width=120, record=True, force_terminal=False)
    with console.capture() as captured:
        console.print(score_page(one))
    return captured.get()


def row(text: str, name: str) -> list[str]:
    """The cells of the row that begins with this."""
    line = next(line for line in text.splitlines() if line.startswith(name))
    return line.removeprefix(name).split("  ")[1:]


def cells(text: str, name: str) -> list[str]:
    return [cell.strip() for cell in row(text, name) if cell.strip()]


def test_rates_are_shown_with_what_they_are_counted_from_and_their_interval() -> None:
    text = shown(
        answered(question(OOM, SCALE_UP, RESTART, name="a"), said(OOM, RESTART)),
        answered(question(DNS, NOOP, name="b"), said(OOM, RESTART)),
    )
    assert cells(text, "root cause right ") == ["50.0%", "9% to 91%", "1 of 2"]
    assert cells(text, "wrong act") == ["50.0%", "9% to 91%", "1 of 2"]
    assert cells(text, "SCALE_UP where it is right") == ["0.0%", "0% to 79%", "0 of 1"]
    assert "ROLLBACK where" not in text


def test_who_was_asked_is_told() -> None:
    text = shown(answered(question(OOM, NOOP), said(OOM, NOOP)), prompt="diagnose_v7")
    assert "cloud on 1 case of cases" in text
    assert "2026-11-20 12:00 UTC, aegis 1.2, prompt diagnose_v7; rules test-1 1×" in text


def test_what_went_wrong_is_told_with_what_was_right_and_what_was_said() -> None:
    text = shown(
        answered(question(DNS, NOOP, name="harm"), said(OOM, RESTART, 0.84)),
        answered(question(OOM, SCALE_UP, RESTART, name="silent"), None),
        answered(question(None, None, SCALE_UP, NOOP, name="vain"), said(OOM, RESTART, 0.5)),
    )
    assert "harm  dns_failure, NOOP  →  oom, RESTART, 0.84 sure\n    because" in text
    assert "silent  oom, SCALE_UP (or RESTART)  →  no answer\n    nothing answers there" in text
    assert "vain  not RESTART, ROLLBACK  →  oom, RESTART, 0.50 sure" in text


def test_of_many_that_went_wrong_the_worst_are_shown_and_the_others_counted() -> None:
    text = shown(*(answered(question(DNS, NOOP, name=f"case-{number:02}"), said(OOM, NOOP)) for number in range(14)))
    assert text.count("→") == MOST_WORST
    assert f"… and {14 - MOST_WORST} more" in text


def test_confusion_and_reliability_are_tables() -> None:
    text = shown(
        answered(question(DNS, NOOP, name="a"), said(DNS, NOOP, 0.85)),
        answered(question(DNS, NOOP, name="b"), said(OOM, NOOP, 0.85)),
    )
    assert cells(text, "dns_failure") == ["2", "1", "oom 1×"]
    assert cells(text, "0.8 to 0.9") == ["2", "85%", "50%", "100%"]


def test_where_all_is_right_nothing_is_said_to_have_gone_wrong() -> None:
    text = shown(answered(question(OOM, NOOP), said(OOM, NOOP)))
    assert "went wrong" not in text
    assert "tokens" not in text


def test_tokens_are_shown_where_they_were_counted() -> None:
    counted: Diagnosis = said(OOM, NOOP, tokens=Tokens(prompt=1234, completion=56))
    assert cells(shown(answered(question(OOM, NOOP), counted)), "prompt tokens a case") == ["1,234", "1,234"]


def test_what_a_model_said_cannot_steer_the_terminal() -> None:
    hostile = said(DNS, NOOP).model_copy(update={"root_cause": "\x1b]0;owned\x07 [bold]x[/bold]"})
    text = shown(answered(question(OOM, NOOP), hostile))
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text
