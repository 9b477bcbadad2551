"""The words of the Chaos page: how the app is, what each fault does, what to expect and in about how long."""

from typing import Final

from aegis_dashboard import format as fmt
from aegis_dashboard.chaos_wire import AppStatus, Fault
from aegis_dashboard.components.chips import chip
from aegis_dashboard.components.markup import Html, div, tag
from aegis_dashboard.components.panels import facts, lines
from aegis_dashboard.story import Tone

# What the agent makes of each fault, and about how long it takes at the default settings.
_OUTLOOK: Final = {
    "memory": ("Healed by a restart.", "about 15 s until it is reported, then 15 to 30 s until it is proven healthy"),
    "cpu": ("Healed by a restart.", "about 15 s until it is reported, then 15 to 30 s until it is proven healthy"),
    "crash": ("Healed by a restart.", "some seconds until it is seen, then 15 to 30 s until it is proven healthy"),
    "unhealthy": (
        "Healed by a restart.",
        "some seconds until the health check has failed, then 15 to 30 s until it is proven healthy",
    ),
    "db_latency": ("A restart may not help: watch how sure the brain is.", "about half a minute"),
    "errors": ("A restart does not help: the diagnosis should say so.", "about half a minute"),
    "disk": ("A restart does not free the disk: a person is asked.", "about half a minute"),
}


def app_head(status: AppStatus, url: str) -> Html:
    on = [fmt.phrase(name) for name in status.active_faults]
    state = chip("faults on: " + ", ".join(on), Tone.BAD, dot=True) if on else chip("no fault on", Tone.GOOD, dot=True)
    memory = (
        f"{fmt.size(status.memory_bytes)} of {fmt.size(status.memory_limit_bytes)}" if status.memory_bytes else None
    )
    disk = f"{fmt.size(status.disk_bytes)} of {fmt.size(status.disk_limit_bytes)}" if status.disk_limit_bytes else None
    latency = f"{status.latency_p95_ms:,.0f} ms" if status.latency_p95_ms is not None else None
    uptime = fmt.rough(status.uptime_seconds) if status.uptime_seconds is not None else None
    head = div(tag("h3", status.container_name or "target app"), state, cls="ag-incident-head")
    figures = facts(
        ("at", tag("code", url)),
        ("up", uptime),
        ("memory", memory),
        ("CPU", fmt.percent(status.cpu_percent)),
        ("latency, p95", latency),
        ("requests failing", fmt.percent(status.error_rate_percent)),
        ("disk", disk),
    )
    return div(head, figures, cls="ag-panel")


def fault_text(fault: Fault) -> Html:
    outlook, long = _OUTLOOK.get(fault.name, ("", ""))
    state = chip("on", Tone.BAD, dot=True) if fault.active else None
    return div(
        div(tag("h3", fmt.title(fault.name)), state, cls="ag-incident-head"),
        tag("p", fault.description),
        lines(("Expect", fault.expect), ("Aegis", outlook), ("Takes", long)),
        cls="ag-fault",
    )


def answer_note(title: str, text: str, refused: bool) -> Html:
    tone = "bad" if refused else "work"
    return div(tag("strong", title), f" {text}", cls=f"ag-note ag-{tone}", role="status")


def away_note(url: str, reason: str) -> Html:
    return div(
        div(tag("strong", "The target app does not answer."), " Tried ", tag("code", url), f": {reason}."),
        div(
            "Start it with ", tag("code", "make demo"), ", or set ", tag("code", "AEGIS_TARGET_APP_URL"),
            " to where it runs. Right after a crash it is away for some seconds until it is restarted.",
        ),
        cls="ag-banner ag-warn", role="alert",
    )  # fmt: skip
