"""The strip above every page: is the core there, what does it run on, does the brain answer."""

from typing import Final

from aegis_dashboard import format as fmt
from aegis_dashboard.components.chips import chip
from aegis_dashboard.components.markup import Html, div, span
from aegis_dashboard.core_client import CoreAway
from aegis_dashboard.story import Tone
from aegis_dashboard.wire import Readiness

_ORDER: Final = ("runtime", "brain", "store")


def strip(readiness: Readiness, away: CoreAway | None, clock: fmt.Clock) -> Html:
    time = span(clock.time(clock.now), cls="ag-num", title=fmt.utc(clock.now))
    aside = div(time, span(clock.offset, cls="ag-muted"), cls="ag-strip-clock")
    if away is not None:
        return div(chip("core away", Tone.BAD, hint=away.reason, dot=True), aside, cls="ag-strip")
    ready = readiness.status == "ready"
    core = chip("core ready" if ready else f"core {readiness.status}", Tone.GOOD if ready else Tone.WARN, dot=True)
    names = [name for name in _ORDER if name in readiness.checks]
    names += sorted(set(readiness.checks) - set(_ORDER))
    return div(core, *(_check(name, readiness) for name in names), aside, cls="ag-strip")


def _check(name: str, readiness: Readiness) -> Html:
    check = readiness.checks[name]
    more = {"runtime": readiness.runtime, "brain": " → ".join(readiness.brain)}.get(name, "")
    tone = Tone.GOOD if check.ok else Tone.WARN if readiness.status == "ready" else Tone.BAD
    return chip(f"{name}: {more}" if more else name, tone, hint=check.detail or None, dot=True)
