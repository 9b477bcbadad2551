"""An incident's way through the stages, with the time that each took."""

from collections.abc import Sequence
from typing import Final

from aegis_dashboard import format as fmt
from aegis_dashboard.components.chips import moment, status_word
from aegis_dashboard.components.markup import Html, div, join, span, tag
from aegis_dashboard.stages import Mark, Step

_SIGNS: Final = {Mark.DONE: "✓", Mark.HEALED: "✓", Mark.FAILED: "✕", Mark.SKIPPED: "–", Mark.EARLIER: "↺"}
_HINTS: Final = {
    Mark.SKIPPED: "not needed on this way",
    Mark.EARLIER: "passed in an earlier attempt, comes again",
    Mark.TODO: "still to come",
}


def stepper(steps: Sequence[Step], clock: fmt.Clock) -> Html:
    return tag("ol", *(_step(step, clock) for step in steps), cls="ag-steps", aria_label="Way of the incident")


def _step(step: Step, clock: fmt.Clock) -> Html:
    word, _ = status_word(step.status)
    again = span(f"{step.visits}×", cls="ag-again", title="entered more than once") if step.visits > 1 else None
    return tag(
        "li",
        span(_SIGNS.get(step.mark, ""), cls="ag-knob", aria_hidden="true"),
        div(div(word, again, cls="ag-step-word"), div(_times(step, clock), cls="ag-step-time"), cls="ag-step-text"),
        cls=f"ag-step ag-step-{step.mark}",
        title=_HINTS.get(step.mark),
        aria_current="step" if step.mark is Mark.CURRENT else None,
    )


def _times(step: Step, clock: fmt.Clock) -> Html:
    if step.at is None:
        return join("skipped" if step.mark is Mark.SKIPPED else " ")
    took = span(fmt.duration(step.seconds), cls="ag-num ag-took") if step.seconds is not None else None
    return join(took, " " if took else None, moment(clock, step.at))
