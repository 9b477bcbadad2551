"""Incidents for the stand-in of the core that somebody else's alerting has reported."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

Row = tuple[float, str, str, dict[str, Any]]
PAUSE = 5.0  # seconds between two looks at the cause
CAUSE = "It fails because of stock-db (named in its error lines), which has exited: that one comes first."
GONE = "target: the runtime knows none of this name"
NOBODY = "unmapped:grafana:Disk-almost-full-on-db-1-3f2a9c1d"


def waiting(begun: datetime, now: datetime) -> dict[str, Any]:
    """An incident whose cause is another target; it has been looked at every few seconds."""
    until = _at(begun, 3.0)
    rows: list[Row] = [
        (0.0, "SignalReceived", "detection", {"until": until, "signal": {
            "target": "shop-web", "fault": "error_logs", "severity": "critical", "source": "alertmanager",
            "alert_type": "ManyErrors", "metrics": {"error_rate_percent": 62.0},
        }}),
        (1.5, "SignalJoined", "detection", {"signal": {"fault": "error_logs", "source": "alertmanager"}, "count": 41}),
    ]  # fmt: skip
    looks = int(max(0.0, (now - begun).total_seconds() - 3.0) // PAUSE) + 1
    for look in range(looks):
        at = 3.0 + look * PAUSE
        data = {"until": _at(begun, at + PAUSE), "reason": CAUSE, "waits_for": "stock-db"}
        rows.append((at, "Rested", "prediction", data))
    fields = {
        "container_name": "shop-web", "fault": "error_logs", "alert_type": "ManyErrors", "status": "ANALYZING",
        "signals": 42, "waits_until": rows[-1][3]["until"],
    }  # fmt: skip
    return incident("inc-01003", begun, rows, fields)


def unmapped(begun: datetime) -> dict[str, Any]:
    """An alert whose labels name no container: diagnosed, and left to people."""
    reason = "The disk of db-1 fills up. Nothing that Aegis may do mends this: no container of this name is known."
    analysis = {
        "root_cause": "The disk of db-1 fills up.", "category": "disk", "action": "NOOP", "confidence": 0.6,
        "justification": "A restart frees no disk.", "evidence": [], "source": "rules",
    }  # fmt: skip
    rows: list[Row] = [
        (0.0, "SignalReceived", "detection", {"signal": {
            "fault": "disk_pressure", "severity": "warning", "source": "grafana", "alert_type": "Disk almost full",
        }}),
        (3.0, "EvidenceGathered", "detection", {"evidence": {"missing": [GONE]}}),
        (3.2, "Diagnosed", "diagnosis", {"diagnosis": analysis}),
        (3.3, "SignalCleared", "detection", {}),
        (3.4, "Failed", "resolution", {"reason": reason}),
    ]  # fmt: skip
    opened = begun - timedelta(minutes=12)
    fields = {
        "container_name": NOBODY, "fault": "disk_pressure", "alert_type": "Disk almost full", "severity": "warning",
        "status": "FAILED", "error": reason, "closed_at": _at(opened, 3.4), "seconds": 3.4, "analysis": analysis,
        "source": "rules", "confidence": 0.6, "action": "NOOP", "root_cause": analysis["root_cause"],
    }  # fmt: skip
    return incident("inc-01002", opened, rows, fields)


def incident(name: str, opened: datetime, rows: Sequence[Row], fields: dict[str, Any]) -> dict[str, Any]:
    """An incident with these events (seconds after its beginning, type, agent, data) and fields."""
    events = [
        {"version": version, "type": type_, "at": _at(opened, at), "agent": agent, "data": data, "hash": "9f" * 32}
        for version, (at, type_, agent, data) in enumerate(rows, start=1)
    ]
    nothing = dict.fromkeys(
        ("closed_at", "seconds", "analysis", "decision", "verification", "lesson", "impact", "error")
    )
    empty: dict[str, Any] = {"evidence_lines": [], "missing": [], "log_tail": [], "tried": [], "metrics": {}}
    return {
        "incident_id": name, "severity": "critical", "opened_at": opened.isoformat(), "updated_at": events[-1]["at"],
        "signals": 1, "attempts": 0, "root_cause": None, "category": None, "action": None, "source": None,
        "confidence": None, "cost_savings": None, "waits_until": None, **nothing, **empty, **fields, "events": events,
    }  # fmt: skip


def _at(begun: datetime, seconds: float) -> str:
    return (begun + timedelta(seconds=seconds)).isoformat()
