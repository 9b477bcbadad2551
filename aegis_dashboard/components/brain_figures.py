"""The figures of the Brain page: tiles of one evaluation, the table of all of them, and what went wrong."""

from collections.abc import Sequence

from aegis_dashboard import format as fmt
from aegis_dashboard.brain_wire import Evaluation, Expected, Rate, Wrong
from aegis_dashboard.components.chips import chip, moment
from aegis_dashboard.components.markup import Html, div, join, span, tag
from aegis_dashboard.components.panels import facts
from aegis_dashboard.story import Tone

MOST_WRONG = 12
_ACTIONS = ("RESTART", "SCALE_UP", "ROLLBACK", "NOOP")


def score_tiles(one: Evaluation) -> Html:
    """How often the cause, how often the action, how often harm, how often a person is asked."""
    score = one.score
    acceptable = f"acceptable: {fmt.share(score.action_acceptable.share)}"
    return div(
        _tile("Root cause right", score.root_cause, f"macro-F1 {fmt.confidence(score.root_cause_macro_f1)}"),
        _tile("Action right", score.action, f"{acceptable}, macro-F1 {fmt.confidence(score.action_macro_f1)}"),
        _tile("Wrong acts", score.wrong_act, f"it acted in {score.acted.hits} of {score.acted.of}"),
        _tile("Left to a person", score.abstained, "not sure enough, or no answer"),
        cls="ag-tiles",
    )


def asked_of(one: Evaluation, clock: fmt.Clock) -> Html:
    """Who was asked what, when, and what it cost."""
    score = one.score
    by = ", ".join(f"{name} {count}×" for name, count in score.answered_by.items())
    recalls = score.action_recall.items()
    recall = ", ".join(f"{name} {rate.hits} of {rate.of}" for name, rate in recalls if rate.of)
    tokens = score.prompt_tokens
    return div(
        facts(
            ("when", moment(clock, one.at, long=True)),
            ("cases", f"{score.cases} in {one.origin}" if not one.own else f"{score.cases} {one.origin}"),
            ("answered by", by),
            ("prompt", one.prompt),
            ("calibration error", fmt.confidence(score.calibration.ece)),
            ("a case takes", fmt.duration(score.seconds.median) if score.seconds else None),
            ("tokens", f"{tokens.median:,.0f}" if tokens else None),
            ("recall of each action", recall),
        ),
        cls="ag-panel",
    )


def history(evaluations: Sequence[Evaluation], clock: fmt.Clock) -> Html:
    """All evaluations, newest first, so that a change of model or prompt can be compared."""
    titles = ("When", "Brain", "On", "Root cause", "Action", "Acceptable", "Wrong acts", "Left to a person", "ECE")
    head = tag("thead", tag("tr", *(tag("th", title) for title in titles)))
    body = tag("tbody", *(_row(one, clock) for one in evaluations))
    return div(tag("table", head, body, cls="ag-ledger ag-scores"), cls="ag-wide")


def wrong_list(wrong: Sequence[Wrong]) -> Html:
    """What went wrong, the worst first: what was right, and what was said instead."""
    return div(*(_wrong(one) for one in wrong[:MOST_WRONG]), cls="ag-lessons")


def interval(rate: Rate) -> str:
    """`19 of 45 (29–57 %)`: with the 95 % interval, because sets are small."""
    if rate.share is None or rate.low is None or rate.high is None:
        return "nothing to count"
    return f"{rate.hits} of {rate.of} ({rate.low * 100:.0f}–{rate.high * 100:.0f} %)"


def right(expected: Expected) -> str:
    """`OOM: SCALE_UP, or RESTART`; where only harm is known, `not RESTART`."""
    if not expected.action:
        return f"not {', '.join(one for one in _ACTIONS if one not in expected.allowed)}"
    others = [one for one in expected.allowed if one != expected.action]
    return f"{fmt.title(expected.category)}: {', or '.join([expected.action, *sorted(others)])}"


def _tile(title: str, rate: Rate, note: str) -> Html:
    figure = div(fmt.share(rate.share), cls="ag-tile-figure ag-num")
    return div(
        div(title, cls="ag-label"), figure, div(interval(rate), cls="ag-num"), div(note, cls="ag-muted"), cls="ag-panel"
    )


def _row(one: Evaluation, clock: fmt.Clock) -> Html:
    score = one.score
    rates = (score.root_cause, score.action, score.action_acceptable, score.wrong_act, score.abstained)
    origin = chip("own incidents", Tone.WORK) if one.own else span(_last_part(one.origin), title=one.origin)
    return tag(
        "tr",
        tag("td", moment(clock, one.at, long=True)),
        tag("td", tag("strong", one.brain), span(f" {one.prompt}", cls="ag-muted") if one.prompt else None),
        tag("td", origin, span(f" {score.cases}", cls="ag-muted")),
        *(tag("td", fmt.share(rate.share), cls="ag-num", title=interval(rate)) for rate in rates),
        tag("td", fmt.confidence(score.calibration.ece), cls="ag-num"),
    )


def _last_part(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2] or path


def _wrong(one: Wrong) -> Html:
    said = one.analysis
    answer = f"{fmt.title(said.category)}: {said.action}" if said else "no answer"
    sure = chip(f"{fmt.confidence(said.confidence)} sure", Tone.PLAIN) if said else None
    harm = chip("wrong act", Tone.BAD) if one.wrong_act else None
    told = said.root_cause if said else one.problem
    return tag(
        "article",
        div(
            tag("h3", one.container_name or one.id, span(f" {one.id}", cls="ag-muted ag-code")),
            div(harm, sure, cls="ag-chips"),
            cls="ag-incident-head",
        ),
        div(
            _told("Right", right(one.expected)),
            _told("Said", join(tag("strong", answer), f" {told}")),
            cls="ag-tolds",
        ),
        cls=f"ag-panel ag-lesson ag-{'bad' if one.wrong_act else 'plain'}",
    )


def _told(name: str, text: Html | str) -> Html:
    return div(span(name, cls="ag-label"), span(text), cls="ag-told")
