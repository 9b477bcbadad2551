"""What the agents would do, what people are asked and have answered, and what they said."""

from collections.abc import Sequence

from aegis_dashboard import format as fmt
from aegis_dashboard import names
from aegis_dashboard.components.chips import agent_mark, chip, incident_link, moment
from aegis_dashboard.components.markup import Html, div, join, span, tag
from aegis_dashboard.components.panels import facts, panel
from aegis_dashboard.people_wire import Approval, Comment, Consensus, Opinion, Shown
from aegis_dashboard.story import Tone
from aegis_dashboard.wire import Brief, Decision, Detail


def opinions(given: Sequence[Opinion], decision: Decision | None) -> Html | None:
    """Who would do what, how sure, and why; who abstained; and what that comes to. Nothing before they have voted."""
    if not given:
        return None
    together = (decision.consensus if decision else None) or Consensus()
    rows = [_opinion(one, together.set_aside.get(one.agent, "")) for one in given]
    rows += [_silent(agent, why) for agent, why in together.abstained.items()]
    same = len({one.action for one in given}) == 1
    agreed = chip("all agree", Tone.GOOD) if same else chip("they disagree", Tone.WARN)
    sure = f"together {fmt.confidence(together.confidence)} sure of {together.action}" if together.votes else ""
    aside = span(span(sure, " ", cls="ag-muted"), agreed)
    return panel("Votes", tag("ul", *rows, cls="ag-votes"), aside=aside)


def _silent(agent: str, why: str) -> Html:
    head = div(agent_mark(agent), span("abstains", cls="ag-muted"), cls="ag-vote-head")
    return tag("li", head, div(why, cls="ag-muted"))


def _opinion(one: Opinion, set_aside: str) -> Html:
    sure = max(0.0, min(1.0, one.confidence or 0.0))
    bar = span(span(cls="ag-vote-bar-full", style=f"width: {sure:.0%}"), cls="ag-vote-bar", aria_hidden="true")
    head = div(
        agent_mark(one.agent),
        span(one.action, cls="ag-vote-action"),
        bar,
        span(fmt.confidence(one.confidence), cls="ag-num", title="how sure, from 0 to 1"),
        cls="ag-vote-head",
    )
    uncounted = div(f"Does not count: {set_aside}", cls="ag-hot") if set_aside else None
    return tag("li", head, div(one.reason, cls="ag-muted") if one.reason else None, uncounted)


def question(incident: Detail, asked: Approval, clock: fmt.Clock) -> Html:
    """What a person is asked, exactly as it would be done, and until when."""
    target = names.target(incident.container_name)
    until = join("Without an answer nothing is done after ", moment(clock, asked.expires_at), _left(asked, clock), ".")
    return div(
        div(tag("strong", f"May Aegis do this? {asked.action} of {target}"), cls="ag-lead"),
        facts(*_shown(asked.shown, clock)),
        tag("ul", *(tag("li", reason) for reason in asked.reasons), cls="ag-reasons ag-gap"),
        div(until, cls="ag-muted ag-gap"),
        cls="ag-question",
        role="alert",
    )


def _left(asked: Approval, clock: fmt.Clock) -> str:
    if asked.expires_at is None:
        return ""
    seconds = (asked.expires_at - clock.now).total_seconds()
    return f" (in {fmt.rough(seconds)})" if seconds > 0 else " (that is over)"


def _shown(shown: Shown | None, clock: fmt.Clock) -> tuple[tuple[str, str], ...]:
    if shown is None:
        return ()
    started = clock.day(shown.started_at) if shown.started_at else ""
    return (("container", shown.ref.id[:12]), ("image", shown.image), ("state", shown.run), ("started", started))


def elsewhere(others: Sequence[Brief]) -> Html | None:
    """Name the incidents that ask a person as well, each as the way to its question."""
    asking = [one for one in others if one.needs_approval]
    if not asking:
        return None
    links = [
        join(", " if number else " ", fmt.title(one.fault), " on ", names.target(one.container_name), " ",
             incident_link(one.incident_id))
        for number, one in enumerate(asking)
    ]  # fmt: skip
    return div(tag("strong", "Needs approval:"), *links, cls="ag-note ag-warn", role="status")


def answered(approval: Approval | None, clock: fmt.Clock) -> Html | None:
    """Who has answered what; nothing while nobody has, because then it is asked above."""
    if approval is None or approval.approved is None:
        return None
    word, tone = ("approved", Tone.GOOD) if approval.approved else ("refused", Tone.BAD)
    way = f" ({names.way_of_answering(approval.via)})" if approval.via else ""
    who = div(span(approval.by, cls="ag-lead"), f"{way}, ", moment(clock, approval.answered_at, long=True))
    quote = div(approval.comment, cls="ag-quote") if approval.comment else None
    return panel("Approval", who, quote, aside=chip(f"{approval.action} {word}", tone))


def undone(seen: str) -> Html | None:
    return panel("Taken back", div(seen)) if seen else None


def comments(said: Sequence[Comment], clock: fmt.Clock) -> Html | None:
    if not said:
        return None
    rows = (
        tag("li", div(span(one.by, cls="ag-vote-action"), " ", moment(clock, one.at, long=True)), div(one.text))
        for one in said
    )
    return panel("Comments", tag("ul", *rows, cls="ag-votes"), aside=span(f"{len(said)}", cls="ag-muted"))
