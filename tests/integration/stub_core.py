"""A stand-in for the core and the target app, for the dashboard: realistic answers that advance with the clock.

    python -m tests.integration.stub_core --port 8001 [--scene NAME] [--at SECONDS]

Scenes: quiet leak two hostile empty foreseen others both asks asks_aside.

The incidents of `data/sample_incidents.json` are its history, under other ids and at recent times. The scene `leak`
adds one that has just begun and goes its way in real time, `two` another one that takes longer; `--at` stops them that
many seconds after their beginning. In `foreseen` the memory of some targets leaks, and nothing has happened yet; in
`others` somebody else's alerting has reported: one incident waits for its cause, one names no container. `both` is
that and the leak. In `asks` one incident waits for a person, who can answer and comment; in `asks_aside` it does so
beside the leak.
`POST /stub/scene?name=…&seconds_ago=…` changes the scene while it runs. The target app answers on the same port.
"""

import argparse
import json
import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.integration.stub_alerts import unmapped, waiting
from tests.integration.stub_asking import NAME, POSTMORTEM, Asking
from tests.integration.stub_brain import evaluations
from tests.integration.stub_learning import reliability, trust
from tests.integration.stub_targets import CALM, LEAKS, MIB, calm, leaking, sample, target

SAMPLES = Path(__file__).resolve().parents[2] / "data" / "sample_incidents.json"
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    " **bold** $x^2$ [a](javascript:alert(1)) :fire:"
)
FAULTS = {  # name: what goes wrong, what to expect
    "memory": ("Memory grows to the limit.", "Memory grows by 16 MiB/s to 92 %; above 85 % it is reported."),
    "cpu": ("A price calculation never converges.", "CPU rises to about 95 % of the allowance and stays there."),
    "db_latency": ("A stock import holds the lock of the database.", "Requests take up to 3 seconds."),
    "crash": ("A truncated record ends the process.", "After 0.5 seconds the process ends with exit code 1."),
    "unhealthy": ("Two workers deadlock.", "Within some seconds /health answers 503."),
    "errors": ("The payment gateway cannot be reached.", "100 % of the requests to /orders answer 500."),
    "disk": ("An export job never deletes its files.", "Files are written at 8 MiB/s until the disk is full."),
}
STATUS = {
    "container_name": "buggy-app-v2",
    "uptime_seconds": 7920.4,
    "memory_bytes": 57 * MIB,
    "memory_limit_bytes": 256 * MIB,
    "memory_percent": 21.3,
    "cpu_percent": 9.2,
    "latency_p95_ms": 12.1,
    "error_rate_percent": 0.0,
    "disk_bytes": MIB,
    "disk_limit_bytes": 64 * MIB,
}
FINE = {"ok": True, "detail": ""}
BRAIN = {"ok": True, "detail": "the rules answer; there is no key for the cloud, and Ollama is not reachable"}
READY = {
    "status": "ready",
    "runtime": "docker",
    "brain": ["rules"],
    "checks": {"store": FINE, "runtime": FINE, "brain": BRAIN},
}
SCENES = ("quiet", "leak", "two", "hostile", "empty", "foreseen", "others", "both", "asks", "asks_aside")
RUNNING = "inc-01001"
RESTARTED_SECONDS = 4.4  # after the beginning of the leak


class Stub:
    """What the stand-in knows. `scene` decides which incidents and targets there are."""

    def __init__(self, scene: str = "quiet", stop_at: float | None = None) -> None:
        self.stop_at = stop_at
        self.active: list[str] = []
        self.begin(scene)

    def begin(self, scene: str, seconds_ago: float = 0.0) -> None:
        self.scene, self.begun = scene, datetime.now(UTC) - timedelta(seconds=seconds_ago)
        self.asking = Asking(self.begun)
        self.left: dict[str, dict[str, Any]] = {}  # targets that are left alone

    def now(self) -> datetime:
        return datetime.now(UTC)

    def leave(self, target: str, word: str, said: dict[str, Any]) -> dict[str, Any]:
        """Leave a target alone, or end that."""
        self.asking.heard.append((f"{target} {word}", said))
        if word in {"maintenance/end", "release"}:
            return self.left.pop(target, {})
        kind = {"maintenance": "maintenance_until", "quarantine": "quarantined_until"}[word]
        until = (self.now() + timedelta(minutes=said["minutes"])).isoformat()
        self.left[target] = {"target": target, kind: until, "by": said["by"], "reason": said["reason"]}
        return self.left[target]

    def reached(self) -> datetime:
        """How far the running incident has got."""
        latest = self.begun + timedelta(seconds=self.stop_at) if self.stop_at is not None else self.now()
        return min(self.now(), latest)

    def incidents(self) -> list[dict[str, Any]]:
        if self.scene == "empty":
            return []
        samples = json.loads(SAMPLES.read_text())["incidents"]
        found = []
        for number in range(28):
            one = samples[number % len(samples)]
            opened = self.begun - timedelta(hours=3 + 7.3 * number + (number * 37 % 11))
            found.append(shifted(one, f"inc-{1000 - number:05}", opened, 1 + 0.35 * math.sin(number), self.now()))
        if self.scene == "two":
            found.insert(0, self._under_way("crashed", "inc-01002"))
        if self.scene in {"leak", "hostile", "two", "both", "asks_aside"}:
            running = self._under_way("memory_pressure", RUNNING)
            found.insert(0, hostile(running) if self.scene == "hostile" else running)
        if self.scene in {"asks", "asks_aside"}:
            found.insert(int(self.scene == "asks_aside"), self.asking.incident())
        if self.scene in {"others", "both"}:
            found = [waiting(self.begun, self.now()), unmapped(self.begun), *found]
        return found

    def _under_way(self, fault: str, name: str) -> dict[str, Any]:
        one = next(
            one for one in json.loads(SAMPLES.read_text())["incidents"] if one["fault"] == fault and one["attempts"]
        )
        return shifted(one, name, self.begun, 1.0, self.reached())

    def targets(self) -> list[dict[str, Any]]:
        if self.scene == "empty":
            return []
        leaks = LEAKS if self.scene == "foreseen" else ()
        rows = [calm(row, self.now()) for row in CALM]
        return [self._app(), *rows, *(leaking(row, self.now()) for row in leaks)]

    def _app(self) -> dict[str, Any]:
        """The target app, with memory that grows until the incident's restart."""
        end, under_way = self.reached(), self.scene in {"leak", "two", "hostile", "both"}
        restarted_at = self.begun + timedelta(seconds=RESTARTED_SECONDS)
        restarted = under_way and end > restarted_at
        series = []
        for step in range(90):
            at = end - timedelta(seconds=2.0 * (89 - step))
            before = (self.begun - at).total_seconds()
            leaking = under_way and at < restarted_at and before < 60
            memory = 91 - before * 1.15 if leaking else 21 + 1.5 * math.sin(step / 5)
            cpu = 28 + 9 * math.sin(step / 3) if leaking else 9 + 3 * math.sin(step / 2)
            series.append(sample(at, memory, cpu, 256))
        is_open = any(one["incident_id"] == RUNNING and not one["closed_at"] for one in self.incidents()[:3])
        starting = restarted and (end - restarted_at).total_seconds() < 5
        return target("buggy-app-v2", "buggy-app:2.1.0", series, 256) | {
            "name": HOSTILE if self.scene == "hostile" else "buggy-app-v2",
            "health": "starting" if starting else "healthy",
            "started_at": (restarted_at if restarted else end - timedelta(hours=2.2)).isoformat(),
            "open_incident_id": RUNNING if is_open else None,
        }

    def runbook(self, search: str) -> dict[str, Any]:
        ended = [one for one in self.incidents() if one["lesson"] and one["closed_at"]]
        lessons = [{**one["lesson"], "incident_id": one["incident_id"], "timestamp": one["closed_at"]} for one in ended]
        lessons = [lesson for lesson in lessons if search.lower() in json.dumps(lesson).lower()]
        return {"entries": lessons, "total": len(lessons)}

    def trigger(self, name: str) -> dict[str, Any]:
        self.active.append(name)
        self.begin("leak")
        return {"fault": name, "status": "started", "expect": FAULTS[name][1]}

    def reset(self) -> dict[str, Any]:
        ended, self.active = self.active, []
        return {"status": "reset", "ended": ended}

    def evaluations(self) -> dict[str, Any]:
        if self.scene == "empty":
            return {"items": []}
        told = HOSTILE if self.scene == "hostile" else "The connection pool was taken for the cause."
        return {"items": evaluations(self.begun, told)}

    def impact(self) -> dict[str, Any]:
        ended = [one for one in self.incidents() if one["closed_at"]]
        healed = [one for one in ended if one["status"] == "RESOLVED" and one["attempts"]]
        acted = [one for one in ended if one["attempts"]]
        keys = ("incident_id", "container_name", "fault", "status", "opened_at", "closed_at", "seconds", "attempts")
        rows = [
            {
                **{key: one[key] for key in keys},
                "saved_dollars": (one["impact"] or {}).get("saved_dollars"),
                "formula": (one["impact"] or {}).get("formula"),
            }
            for one in ended
        ]
        return {
            "incidents_resolved": sum(one["status"] == "RESOLVED" for one in ended),
            "incidents_failed": sum(one["status"] == "FAILED" for one in ended),
            "success_rate": len(healed) / len(acted) if acted else None,
            "avg_mttr_seconds": sum(one["seconds"] for one in healed) / len(healed) if healed else None,
            "total_cost_savings": sum(row["saved_dollars"] or 0 for row in rows),
            "manual_mttr_minutes": 30.0,
            "formula": "saved = (manual MTTR − measured MTTR) × rate per minute",
            "incidents": rows,
        }


def shifted(one: dict[str, Any], name: str, opened: datetime, stretch: float, now: datetime) -> dict[str, Any]:
    """A sample incident under another id, begun at `opened`, as far as it has got by `now`."""
    first = datetime.fromisoformat(one["opened_at"])

    def moved(at: str) -> datetime:
        return opened + (datetime.fromisoformat(at) - first) * stretch

    events = [{**event, "at": moved(event["at"])} for event in one["events"]]
    events = [event for event in events if event["at"] <= now]
    types = [event["type"] for event in events]
    last = {event["type"]: event for event in events}
    closed = last.get("Resolved") or last.get("Failed")
    has = {
        "analysis": "Diagnosed", "evidence_lines": "EvidenceGathered", "decision": "Decided",
        "verification": "Verified", "lesson": "LessonLearned", "impact": "Resolved", "cost_savings": "Resolved",
        "root_cause": "Diagnosed", "category": "Diagnosed", "source": "Diagnosed", "confidence": "Diagnosed",
        "action": "Decided", "error": "Failed",
    }  # fmt: skip
    parts = {field: one[field] if type_ in types else None for field, type_ in has.items()}
    return {
        **one,
        **parts,
        "incident_id": name,
        "status": _status(types, last),
        "opened_at": opened.isoformat(),
        "updated_at": (events[-1]["at"] if events else opened).isoformat(),
        "closed_at": closed["at"].isoformat() if closed else None,
        "seconds": (closed["at"] - opened).total_seconds() if closed else None,
        "signals": types.count("SignalReceived") + types.count("SignalJoined"),
        "attempts": types.count("ActionIntended"),
        "evidence_lines": parts["evidence_lines"] or [],
        "events": [{**event, "at": event["at"].isoformat()} for event in events],
    }


def _status(types: list[str], last: dict[str, dict[str, Any]]) -> str:
    status = "RECEIVED"
    entered = {"EvidenceGathered": "ANALYZING", "Rested": "ANALYZING", "ActionIntended": "EXECUTING",
               "ActionExecuted": "VERIFYING", "Resolved": "RESOLVED", "Failed": "FAILED"}  # fmt: skip
    for type_ in types:
        acts = type_ == "Decided" and last[type_]["data"]["decision"]["verdict"] == "ACT"
        status = "DECIDED" if acts else entered.get(type_, status)
    return status


def hostile(one: dict[str, Any]) -> dict[str, Any]:
    """An incident whose log, names and diagnosis try to get into the page."""
    lines = [*one["evidence_lines"], {"number": "E99", "text": f"log: {HOSTILE}\n\n{HOSTILE}"}]
    analysis = {**one["analysis"], "root_cause": HOSTILE, "evidence": [HOSTILE]} if one["analysis"] else None
    hostile_texts = {"container_name": HOSTILE, "root_cause": HOSTILE, "log_tail": [f"{HOSTILE}\n\n# {HOSTILE}"]}
    return {**one, **hostile_texts, "evidence_lines": lines, "analysis": analysis}


def faults(active: list[str]) -> list[dict[str, Any]]:
    return [
        {"name": name, "description": what, "expect": expect, "active": name in active}
        for name, (what, expect) in FAULTS.items()
    ]


def brief(one: dict[str, Any]) -> dict[str, Any]:
    left_out = {"events", "analysis", "evidence_lines", "log_tail", "decision", "verification", "lesson", "impact",
                "tried", "metrics"}  # fmt: skip
    return {key: value for key, value in one.items() if key not in left_out}


def page(found: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    for field, name in (("status", "status"), ("container_name", "target"), ("fault", "fault")):
        found = [one for one in found if name not in query or one[field] == query[name]]
    if "open" in query:
        found = [one for one in found if (one["closed_at"] is None) == (query["open"] == "true")]
    if "search" in query:
        found = [one for one in found if query["search"].lower() in json.dumps(brief(one)).lower()]
    limit, offset = int(query.get("limit", 50)), int(query.get("offset", 0))
    shown = [brief(one) for one in found[offset : offset + limit]]
    return {"items": shown, "total": len(found), "limit": limit, "offset": offset}


class Handler(BaseHTTPRequestHandler):
    """Routes of the core and of the target app."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        answer = self._incident(parts) if len(parts) > 1 else self._page(parts[0], query)
        self._send(404 if answer is None else 200, answer or {"detail": "There is nothing here."})

    def do_POST(self) -> None:
        query, parts = parse_qs(urlsplit(self.path).query), urlsplit(self.path).path.split("/")
        if parts[1:3] == ["incidents", NAME]:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            return self._send(*self.server.stub.asking.say(parts[3], body, self.server.stub.now()))
        if parts[1] == "targets":
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            return self._send(200, self.server.stub.leave(unquote(parts[2]), "/".join(parts[3:]), body))
        self.server.stub.begin(query["name"][0], float(query.get("seconds_ago", ["0"])[0]))
        return self._send(200, {"scene": query["name"][0]})

    def _incident(self, parts: list[str]) -> dict[str, Any] | None:
        found = [one for one in self.server.stub.incidents() if one["incident_id"] == parts[1]]
        if not found or parts[0] != "incidents":
            return None
        if parts[2:] == ["postmortem"]:
            return {"incident_id": parts[1], "markdown": POSTMORTEM, "summary": "", "written_by": ""}
        events = found[0].pop("events")
        return {"items": events} if parts[2:] == ["events"] else found[0]

    def _page(self, name: str, query: dict[str, str]) -> Any:
        stub = self.server.stub
        fault = name.removeprefix("trigger_")
        if name != fault:
            return stub.trigger(fault) if fault in FAULTS else None
        answers: dict[str, Callable[[], Any]] = {
            "ready": lambda: READY,
            "standings": lambda: {"items": list(stub.left.values())},
            "heard": lambda: {"heard": stub.asking.heard},
            "targets": lambda: {"items": stub.targets()},
            "incidents": lambda: page(stub.incidents(), query),
            "runbook": lambda: stub.runbook(query.get("search", "")),
            "impact": stub.impact,
            "evaluations": stub.evaluations,
            "trust": lambda: trust(stub.scene, stub.begun),
            "reliability": lambda: reliability(stub.scene),
            "faults": lambda: {"faults": faults(stub.active)},
            "status": lambda: STATUS | {"active_faults": stub.active},
            "reset": stub.reset,
        }
        return answers[name]() if name in answers else None

    def _send(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        """Stay silent."""


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, port: int, stub: Stub) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.stub = stub


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8001)
    parser.add_argument("--scene", default="leak", choices=SCENES)
    parser.add_argument("--at", type=float)
    options = parser.parse_args()
    Server(options.port, Stub(options.scene, options.at)).serve_forever()


if __name__ == "__main__":
    main()
