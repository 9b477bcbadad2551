"""The heart of the demo: causes the memory leak, and shows the incident's way until it has ended."""

import time
from collections.abc import Callable, Sequence
from typing import Final

from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

from aegis_core.domain.incident import Status
from aegis_core.domain.lesson import Lesson
from aegis_core.domain.signal import Fault

from . import words
from .client import CoreClient, TargetApp
from .failures import CoreAway, NotHealed
from .follow import EVERY, Follower, target_of
from .output import Tone
from .process_file import TARGET
from .render import facts
from .scene import Scene
from .wire import Brief, Detail

FAULT: Final = "memory"
LESSON_SECONDS: Final = 20.0  # the runbook is written through the outbox, shortly after the end


def heal(core: CoreClient, app: TargetApp, check: Callable[[], None], seconds: float) -> Detail:
    """Cause the leak and show what Aegis does about it; returns the incident as it has ended.

    Raises NotHealed after `seconds`, and whatever `check` raises.
    """
    deadline = time.monotonic() + seconds
    before = {one.incident_id for one in core.incidents(target=TARGET, limit=500) if one.closed}
    answer = app.trigger(FAULT)
    with Scene() as scene:
        scene.say()
        scene.say(Text.assemble("Causing a real fault: ", (f"GET {app.url}/trigger_{FAULT}", "bold")))
        scene.say(Padding(Text(words.short(str(answer.get("expect", "")), 300), style=Tone.DIM), (0, 0, 1, 0)))
        incident = _appearing(core, before, scene, check, deadline)
        follower = Follower(core, incident.incident_id)
        while not incident.closed:
            _pause(check, deadline, f"It stands at {incident.status}.")
            try:
                scene.show(target_of(core, TARGET))
                scene.add(follower.news())
                incident = core.incident(incident.incident_id)
            except CoreAway:
                continue
        scene.add(follower.news())
        return core.incident(incident.incident_id)


def _appearing(core: CoreClient, before: set[str], scene: Scene, check: Callable[[], None], deadline: float) -> Brief:
    """Watch the memory grow until there is an incident of the target that had not ended before."""
    while True:
        scene.wait_for("memory grows; the target app reports it above 85 % of its limit")
        try:
            scene.show(target_of(core, TARGET))
            found = _newest([one for one in core.incidents(target=TARGET) if one.incident_id not in before])
        except CoreAway:
            found = None
        if found:
            return found
        _pause(check, deadline, "No incident was opened.")


def _newest(found: Sequence[Brief]) -> Brief | None:
    """The newest incident about memory, else the newest of all."""
    memory = [one for one in found if one.fault in (Fault.MEMORY_PRESSURE, Fault.OOM_KILLED)]
    return next(iter([*memory, *found]), None)


def _pause(check: Callable[[], None], deadline: float, standing: str) -> None:
    check()
    if time.monotonic() > deadline:
        raise NotHealed(f"The memory leak was not healed in time. {standing}")
    time.sleep(EVERY)


def written_lesson(core: CoreClient, incident_id: str) -> Lesson | None:
    """The entry of the runbook file about an incident, as soon as it is there; None when it does not come."""
    deadline = time.monotonic() + LESSON_SECONDS
    while True:
        try:
            found = next((one for one in core.lessons() if one.incident_id == incident_id), None)
        except CoreAway:
            found = None
        if found or time.monotonic() > deadline:
            return found
        time.sleep(EVERY)


def ending(incident: Detail, lesson: Lesson | None, runbook: str, dashboard: str) -> Panel:
    """What happened, how long it took, what was learned and saved, and where to look on."""
    healed = incident.status is Status.RESOLVED
    grid = facts()
    grid.add_row("What happened", Text(words.short(incident.root_cause or words.spoken(incident.fault), 600)))
    if healed:
        done = f"{incident.action} of {words.short(incident.container_name)}, verified healthy afterwards"
        grid.add_row("What was done", Text(done))
        grid.add_row("Time to heal", Text(f"{words.duration(incident.seconds)} from the first signal"))
    else:
        grid.add_row("Why it failed", Text(words.short(incident.error or "", 600), style=Tone.BAD))
    if incident.attempts:
        grid.add_row("New lesson", _lesson_text(lesson, runbook))
    if incident.impact:
        impact = incident.impact
        grid.add_row("Money saved", Text.assemble((words.money(impact.saved_dollars), "bold"), f" = {impact.formula}"))
    grid.add_row("Dashboard", Text(dashboard, style=f"link {dashboard}"))
    title, tone = ("healed", Tone.GOOD) if healed else ("not healed", Tone.BAD)
    return Panel(grid, title=Text(title, style=f"bold {tone}"), title_align="left", border_style=tone, padding=(1, 2))


def _lesson_text(lesson: Lesson | None, runbook: str) -> Text:
    if lesson is None:
        return Text(f"not written to {runbook} yet", style=Tone.WARN)
    held = "verified healthy" if lesson.verified_healthy else "it did not hold"
    what = (
        f"{words.spoken(lesson.fault)} on {words.short(lesson.container, 60)} → {words.short(lesson.fix, 40)}, {held}"
    )
    return Text.assemble(what, (f"\n{runbook}, entry of {lesson.incident_id}", Tone.DIM))
