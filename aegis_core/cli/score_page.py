"""An evaluation as tables for people. Pure."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Final

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from aegis_core.domain.action import Action
from aegis_core.domain.evaluation import Evaluation
from aegis_core.domain.figures import Calibration, Rate, Spread
from aegis_core.domain.score import Part, Score
from aegis_core.domain.trial import Answered

from . import words
from .output import Tone

MOST_WORST: Final = 10


def score_page(evaluation: Evaluation) -> Group:
    """Everything about one evaluation: figures, calibration, confusion and what went wrong."""
    one = evaluation.score
    parts: list[RenderableType] = [*_head(evaluation), "", _figures(one), "", _by_certainty(one)]
    parts += ["", _heading("How sure against how often right"), _reliability(one)]
    if one.confusion:
        parts += ["", _heading("What was said where"), _confusion(one)]
    if evaluation.worst:
        shown = evaluation.worst[:MOST_WORST]
        more = len(evaluation.worst) - len(shown)
        parts += ["", _heading(f"What went wrong, the worst first ({len(evaluation.worst)})"), *_worst(shown)]
        parts += [Text(f"… and {more} more: --json FILE writes them all", style=Tone.DIM)] if more else []
    return Group(*parts)


def _head(evaluation: Evaluation) -> Iterable[Text]:
    cases = words.counted(evaluation.score.cases, "case")
    yield Text.assemble((f"{evaluation.brain}", "bold"), f" on {cases} of {words.short(evaluation.origin)}")
    prompt = f", prompt {evaluation.prompt}" if evaluation.prompt else ""
    by = ", ".join(f"{words.short(name, 80)} {count}×" for name, count in evaluation.score.answered_by.items())
    yield Text(f"{evaluation.at:%Y-%m-%d %H:%M} UTC, aegis {evaluation.version}{prompt}; {by}", style=Tone.DIM)


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=Tone.DIM)
    for number, name in enumerate(columns):
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    return table


def _figures(one: Score) -> Table:
    table = _table("", "share", "95 % interval", "cases")
    rates = {
        "root cause right": one.root_cause,
        "root cause right, when sure": one.root_cause_when_sure,
        "action right (strict)": one.action,
        "action acceptable": one.action_acceptable,
        "wrong act": one.wrong_act,
        "acted": one.acted,
        "abstained": one.abstained,
        **{f"{action} where it is right": recall for action, recall in one.action_recall.items() if recall.of},
    }
    for name, rate in rates.items():
        table.add_row(name, *_rate(rate))
    table.add_row("root cause, macro-F1", _plain(one.root_cause_macro_f1), "", "")
    table.add_row("action, macro-F1", _plain(one.action_macro_f1), "", "")
    table.add_row("ECE (root cause / action)", _error(one.calibration), _error(one.calibration_of_action), "")
    for name, spread, unit in (
        ("seconds a case (median, p95)", one.seconds, "s"),
        ("prompt tokens a case", one.prompt_tokens, ""),
        ("answer tokens a case", one.answer_tokens, ""),
    ):
        if spread:
            table.add_row(name, *_spread(spread, unit), "")
    return table


def _rate(rate: Rate) -> Sequence[str]:
    if rate.share is None or rate.low is None or rate.high is None:
        return words.NOTHING, "", "0"
    return f"{rate.share:.1%}", f"{rate.low:.0%} to {rate.high:.0%}", f"{rate.hits} of {rate.of}"


def _plain(value: float | None) -> str:
    return words.NOTHING if value is None else f"{value:.3f}"


def _error(calibration: Calibration) -> str:
    return _plain(calibration.ece)


def _spread(spread: Spread, unit: str) -> Sequence[str]:
    if unit:
        return f"{spread.median:.3g} {unit}", f"{spread.p95:.3g} {unit}"
    return f"{spread.median:,.0f}", f"{spread.p95:,.0f}"


def _by_certainty(one: Score) -> Table:
    table = _table("label", "cases", "root cause", "action", "acceptable", "wrong act", "abstained")
    for name, part in one.by_certainty.items():
        table.add_row(words.short(name, 30), str(part.cases), *_shares(part))
    return table


def _shares(part: Part) -> Iterable[str]:
    rates = (part.root_cause, part.action, part.action_acceptable, part.wrong_act, part.abstained)
    return (words.NOTHING if rate.share is None else f"{rate.share:.0%}" for rate in rates)


def _reliability(one: Score) -> Table:
    table = _table("confidence", "answers", "claimed", "cause right", "action acceptable")
    of_action = {found.low: found for found in one.calibration_of_action.bins}
    of_cause = {found.low: found for found in one.calibration.bins}
    for low, found in of_action.items():
        cause = of_cause.get(low)
        right = f"{cause.right:.0%}" if cause else words.NOTHING
        band = f"{found.low:.1f} to {found.high:.1f}"
        table.add_row(band, str(found.count), f"{found.confidence:.0%}", right, f"{found.right:.0%}")
    return table


def _confusion(one: Score) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style=Tone.DIM)
    table.add_column("right", no_wrap=True)
    table.add_column("cases", justify="right")
    table.add_column("said so", justify="right")
    table.add_column("said instead", overflow="fold")
    for right, found in groupby(one.confusion, key=lambda row: row.right):
        rows = list(found)
        others = ", ".join(f"{row.said} {row.count}×" for row in rows if row.said != right)
        agreed = sum(row.count for row in rows if row.said == right)
        table.add_row(right, str(sum(row.count for row in rows)), str(agreed), Text(others))
    return table


def _worst(answers: Sequence[Answered]) -> Iterable[RenderableType]:
    for one in answers:
        tone = Tone.BAD if one.marks.wrong_act else Tone.PLAIN
        yield Text.assemble((words.short(one.id), "bold"), f"  {_right(one)}", "  →  ", (_said(one), tone))
        told = one.diagnosis.root_cause if one.diagnosis else one.problem
        yield Padding(Text(words.short(told, 220), style=Tone.DIM), (0, 0, 0, 4))


def _right(one: Answered) -> str:
    if one.expected.action is None:
        return f"not {', '.join(sorted(_harmful(one)))}"
    also = sorted(one.expected.allowed - {one.expected.action})
    return f"{one.expected.category}, {one.expected.action}" + (f" (or {', '.join(also)})" if also else "")


def _harmful(one: Answered) -> Iterable[str]:
    return (str(action) for action in Action if action not in one.expected.allowed)


def _said(one: Answered) -> str:
    if one.diagnosis is None:
        return "no answer"
    return f"{one.diagnosis.category}, {one.diagnosis.action}, {one.diagnosis.confidence:.2f} sure"
