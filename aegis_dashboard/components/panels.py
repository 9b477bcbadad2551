"""The parts of one incident: diagnosis, decision, verification, evidence, log, lesson, impact."""

from collections.abc import Sequence

from aegis_dashboard import format as fmt
from aegis_dashboard.components.chips import chip, moment, source_chip
from aegis_dashboard.components.markup import Child, Html, div, join, span, tag
from aegis_dashboard.names import is_unmapped
from aegis_dashboard.story import Tone
from aegis_dashboard.wire import Condition, Decision, Detail, Impact, Lesson

_VERDICTS = {"ACT": Tone.GOOD, "ASK": Tone.WARN, "REFUSE": Tone.BAD, "REST": Tone.WARN}
_HOLDS = ("✓", "holds", Tone.GOOD)
_PENDING = ("…", "is still to be proven", Tone.WORK)
_FAILS = ("✕", "fails", Tone.BAD)


def panel(title: str, *body: Child, aside: Html | None = None, quiet: bool = False) -> Html:
    head = div(tag("h4", title), aside, cls="ag-panel-head")
    return tag("section", head, *body, cls="ag-panel" + (" ag-panel-quiet" if quiet else ""))


def waiting(title: str, text: str) -> Html:
    """A panel whose content is still to come."""
    return panel(title, div(text, cls="ag-muted"), quiet=True)


def facts(*pairs: tuple[str, Child]) -> Html:
    """Names and values in a row; pairs without a value are left out."""
    shown = [pair for pair in pairs if pair[1] not in (None, "", fmt.NOTHING)]
    return tag("dl", *(div(tag("dt", name), tag("dd", value)) for name, value in shown), cls="ag-facts")


def lines(*pairs: tuple[str, str]) -> Html:
    """Names and sentences, one below the other; pairs without a sentence are left out."""
    rows = (div(span(name, cls="ag-label"), span(text), cls="ag-told") for name, text in pairs if text)
    return div(*rows, cls="ag-tolds")


def diagnosis(incident: Detail) -> Html:
    found = incident.analysis
    if found is None:
        asked = "The brain is asked after the wait." if incident.waits else "The brain is being asked…"
        return waiting("Diagnosis", "There was no diagnosis." if incident.closed else asked)
    passed = [div(text, cls="ag-muted") for text in found.passed_over]
    over = div(div("Asked before, without an answer", cls="ag-label"), *passed, cls="ag-gap") if passed else None
    other = (
        div(div("Seen otherwise by", cls="ag-label"), _quotes(found.dissent), cls="ag-gap") if found.dissent else None
    )
    return panel(
        "Diagnosis",
        tag("p", found.root_cause, cls="ag-lead"),
        tag("p", found.justification, cls="ag-muted") if found.justification else None,
        facts(
            ("action", found.action),
            ("category", fmt.phrase(found.category)),
            ("confidence", fmt.confidence(found.confidence)),
            ("model", found.model),
            ("took", fmt.duration(found.seconds) if found.seconds else None),
        ),
        div(div("Rests on", cls="ag-label"), _quotes(found.evidence), cls="ag-gap") if found.evidence else None,
        other,
        over,
        aside=source_chip(found.source, None),
    )


def decision(made: Decision | None, closed: bool, clock: fmt.Clock) -> Html:
    if made is None:
        return waiting("Decision", "No decision was made." if closed else "Policy decides once there is a diagnosis.")
    until = div("until ", moment(clock, made.until), cls="ag-muted") if made.until else None
    reasons = tag("ul", *(tag("li", reason) for reason in made.reasons), cls="ag-reasons")
    verdict = chip(made.verdict, _VERDICTS.get(made.verdict, Tone.PLAIN))
    return panel("Decision", div(span(made.action, cls="ag-lead")), reasons, until, aside=verdict)


def verification(incident: Detail, clock: fmt.Clock) -> Html:
    seen, closed = incident.verification, incident.closed
    if seen is None or not seen.conditions:
        if incident.status == "VERIFYING":
            return _to_be_proven(incident)
        text = "Nothing was verified." if closed else "Health is proven after the action, condition by condition."
        return waiting("Verification", text)
    held = sum(condition.holds for condition in seen.conditions)
    failed = any(_sign(condition) is _FAILS for condition in seen.conditions)
    tone = Tone.GOOD if seen.healthy else Tone.BAD if failed or closed else Tone.WORK
    rows = tag("ul", *(_condition(one, clock) for one in seen.conditions), cls="ag-conditions")
    return panel("Verification", rows, aside=chip(f"{held} of {len(seen.conditions)} hold", tone))


def _to_be_proven(incident: Detail) -> Html:
    """What the core looks for while it verifies; what it has seen it tells at the end."""
    acted = bool(incident.attempts)
    texts = (
        "it runs",
        "it was started after the action" if acted else "",
        "its own health check and its health URL say so, where it has them",
        "it stays up, and is not restarted again",
        f"{fmt.phrase(incident.fault)} is gone",
    )
    sign, word, tone = _PENDING
    rows = (
        tag("li", span(sign, cls="ag-sign", role="img", aria_label=word), span(text), cls=f"ag-{tone}")
        for text in texts
        if text
    )
    return panel("Verification", tag("ul", *rows, cls="ag-conditions"), aside=chip("is being proven", tone))


def _sign(condition: Condition) -> tuple[str, str, Tone]:
    return _HOLDS if condition.holds else _PENDING if condition.pending else _FAILS


def _condition(condition: Condition, clock: fmt.Clock) -> Html:
    sign, word, tone = _sign(condition)
    name, seen = fmt.words(condition.name), clock.localized(condition.seen)
    return tag(
        "li",
        span(sign, cls="ag-sign", role="img", aria_label=word),
        span(name),
        span(seen, cls="ag-muted ag-num") if seen != name else None,
        cls=f"ag-{tone}",
    )


def evidence(incident: Detail) -> Html:
    """All numbered lines; those that the diagnosis rests on are marked."""
    if not incident.evidence_lines:
        gathered = "Evidence is gathered after the wait." if incident.waits else "Evidence is being gathered…"
        return waiting("Evidence", "Nothing was gathered." if incident.closed else gathered)
    cited = set(incident.analysis.evidence) if incident.analysis else set()
    shown = [
        div(
            span(line.number, cls="ag-line-number"), span(line.text, cls="ag-line-text"),
            cls="ag-line" + (" ag-line-cited" if line.text in cited else ""),
            title="the diagnosis rests on this line" if line.text in cited else None,
        )
        for line in incident.evidence_lines
    ]  # fmt: skip
    aside = span(f"{fmt.plural(len(shown), 'line')}, {len(cited)} cited", cls="ag-muted")
    missing = [div(f"Missing: {text}", cls="ag-muted") for text in incident.missing]
    return panel("Evidence", div(*shown, cls="ag-lines"), *missing, aside=aside)


def log_tail(incident: Detail) -> Html | None:
    if not incident.log_tail:
        return None
    rows = (div(span(line, cls="ag-line-text"), cls="ag-line") for line in incident.log_tail)
    return panel("Last log lines", div(*rows, cls="ag-lines"), aside=span("secrets are masked", cls="ag-muted"))


def lesson(learned: Lesson | None) -> Html | None:
    if learned is None:
        return None
    held = chip("verified healthy", Tone.GOOD) if learned.verified_healthy else chip("did not hold", Tone.BAD)
    told = lines(("Issue", learned.issue), ("Fix", learned.fix), ("Cause", learned.root_cause))
    return panel("Lesson", told, aside=held)


def impact(counted: Impact | None) -> Html | None:
    if counted is None:
        return None
    figure = span(fmt.money(counted.saved_dollars), cls="ag-lead ag-num")
    return panel("Impact", div(figure, " saved"), div(counted.formula, cls="ag-muted"))


def tried(texts: Sequence[str]) -> Html | None:
    return panel("Tried before", _quotes(texts)) if texts else None


def failure(incident: Detail) -> Html | None:
    """Why a person is needed."""
    if not incident.error:
        return None
    return div(tag("strong", "A person is needed. "), incident.error, cls="ag-note ag-bad", role="alert")


def nobody(incident: Detail) -> Html | None:
    """Where an alert named no container: what that means, and what to do about it."""
    if not is_unmapped(incident.container_name):
        return None
    return div(
        tag("strong", "This alert names no container. "),
        "None of its labels fits one, so nothing is acted on, and it is left to people. Which labels may name one is "
        "said by ", tag("code", "AEGIS_TARGET_LABELS"), ".",
        cls="ag-note ag-warn",
    )  # fmt: skip


def _quotes(lines: Sequence[str]) -> Html:
    return join(*(div(line, cls="ag-quote") for line in lines))
