"""An incident for the stand-in of the core that waits for a person, and what becomes of it when one answers."""

from datetime import datetime, timedelta
from typing import Any

from tests.integration.stub_alerts import Row, incident

NAME = "inc-01010"
VOTES = (
    ("detection", "RESTART", 0.62, "It crashes again and again since it was replaced."),
    ("diagnosis", "ROLLBACK", 0.88, "The new release cannot read its configuration, and the one before could."),
    ("prediction", "ROLLBACK", 0.71, "A restart has not held twice today; going back to an image has."),
    ("resolution", "ROLLBACK", 0.9, "The image that was verified healthy last is still on this host."),
)
ANALYSIS = {
    "root_cause": "The new release stops at its first start: it does not find the key `queue.url`.",
    "category": "bad_image", "action": "ROLLBACK", "confidence": 0.88, "source": "cloud", "model": "small",
    "justification": "The log ends with the missing key at every start since the image was replaced.",
    "evidence": ["log: 6× KeyError: 'queue.url'"],
}  # fmt: skip
REASONS = ["ROLLBACK needs approval.", "The agents are 0.73 sure of it; they do not all agree."]
LINES = ("state: restarting, health none, exit code 1", "image: shop/mailer:2.0", "log: 6× KeyError: 'queue.url'")
POSTMORTEM = """# Postmortem: crash loop on shop-mailer

## Summary

The new release stops at its first start.

## Timeline

| time (UTC) | agent | what |
| --- | --- | --- |
| 12:00:00 | detection | crash\\_loop \\<b\\>reported\\</b\\> |
"""


class Asking:
    """The question about one incident. `heard` lists what people have posted: word and body."""

    def __init__(self, begun: datetime) -> None:
        self.begun = begun
        self.heard: list[tuple[str, dict[str, Any]]] = []
        self.answer: tuple[str, dict[str, Any]] | None = None
        self.said: list[dict[str, Any]] = []

    def say(self, word: str, body: dict[str, Any], now: datetime) -> tuple[int, dict[str, Any]]:
        """Take what a person says, as the core does."""
        self.heard.append((word, body))
        if not body.get("by"):
            return 422, {"detail": "by: it has to be said who says so"}
        if word == "comments":
            self.said.append({"by": body["by"], "text": body["comment"], "at": now.isoformat()})
            return 201, self.incident()
        if self.answer:
            return 409, {"detail": f"{self.answer[1]['by']} has answered it already."}
        self.answer = (word, {**body, "answered_at": now.isoformat()})
        return 200, self.incident()

    def incident(self) -> dict[str, Any]:
        rows, asked = self._rows(), self._approval()
        status = "AWAITING_APPROVAL"
        if self.answer:
            status = "EXECUTING" if self.answer[0] == "approve" else "FAILED"
        fields = {
            "container_name": "shop-mailer", "fault": "crash_loop", "status": status, "version": len(rows),
            "analysis": ANALYSIS, "root_cause": ANALYSIS["root_cause"], "source": "cloud", "confidence": 0.88,
            "action": "ROLLBACK", "opinions": [vote(*one) for one in VOTES], "approval": asked,
            "decision": {"verdict": "ASK", "action": "ROLLBACK", "confidence": 0.73, "reasons": REASONS},
            "waits_until": asked["expires_at"] if status == "AWAITING_APPROVAL" else None,
            "comments": self.said, "evidence_lines": [
                {"number": f"E{number}", "text": text} for number, text in enumerate(LINES, start=1)
            ],
        }  # fmt: skip
        if status == "FAILED":
            who = asked["by"]
            fields |= {"error": f"{who} has declined ROLLBACK; nothing was done.", "closed_at": asked["answered_at"]}
        return incident(NAME, self.begun, rows, fields)

    def _approval(self) -> dict[str, Any]:
        word, said = self.answer or ("", {})
        shown = {
            "ref": {"name": "shop-mailer", "id": "5f0c9d31a7e2b4c8" * 4}, "run": "restarting",
            "image": "shop/mailer:2.0", "started_at": (self.begun - timedelta(seconds=9)).isoformat(),
        }  # fmt: skip
        return {
            "action": "ROLLBACK", "shown": shown, "reasons": REASONS, "asked_at": self.begun.isoformat(),
            "expires_at": (self.begun + timedelta(minutes=30)).isoformat(),
            "approved": word == "approve" if word else None,
            "by": said.get("by", ""), "via": said.get("via", "api") if word else None,
            "comment": said.get("comment", ""), "answered_at": said.get("answered_at"),
        }  # fmt: skip

    def _rows(self) -> list[Row]:
        signal = {"target": "shop-mailer", "fault": "crash_loop", "severity": "critical", "source": "sensor"}
        rows: list[Row] = [
            (0.0, "SignalReceived", "detection", {"signal": signal}),
            (0.4, "EvidenceGathered", "detection", {"evidence": {"missing": []}}),
            (3.1, "Diagnosed", "diagnosis", {"diagnosis": ANALYSIS}),
        ]
        rows += [(3.2, "OpinionGiven", one[0], {"opinion": vote(*one)}) for one in VOTES]
        decision = {"verdict": "ASK", "action": "ROLLBACK", "confidence": 0.73, "reasons": REASONS}
        asked = {**self._approval(), "approved": None}
        rows += [
            (3.3, "Decided", "resolution", {"decision": decision}),
            (3.3, "ApprovalRequested", "communication", {"approval": asked}),
        ]
        rows += [(5.0, "Commented", "communication", {"comment": one}) for one in self.said]
        if self.answer:
            word, said = self.answer
            rows.append((9.0, "Approved" if word == "approve" else "Declined", "communication", said))
        if self.answer and self.answer[0] == "approve":
            rows.append((9.1, "ActionIntended", "resolution", {"intent": {"action": "ROLLBACK"}}))
        return rows


def vote(agent: str, action: str, confidence: float, reason: str) -> dict[str, Any]:
    return {"agent": agent, "action": action, "confidence": confidence, "reason": reason}
