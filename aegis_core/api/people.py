"""What people say over HTTP: yes, no, and comments. Who posts has to know the token, where one is set."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import FastAPI, Request
from pydantic import BaseModel, Field, StringConstraints

from aegis_core.adapters.intake import document
from aegis_core.adapters.intake.gate import Gate
from aegis_core.domain.approval import Reply, Via
from aegis_core.domain.incident import Incident
from aegis_core.errors import MediaUnsupported, PayloadUnreadable

from . import views
from .intake import Body

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=128)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2_000)]


class _Answer(BaseModel):
    """`version` is that of the incident in which the question was seen: what is approved is what was shown."""

    by: Name
    comment: Text = ""
    version: int | None = Field(None, ge=0, lt=2**31)
    via: Literal[Via.API, Via.CLI, Via.DASHBOARD] = Via.API


class _Comment(BaseModel):
    by: Name
    comment: Annotated[Text, Field(min_length=1)]


@dataclass(frozen=True)
class People:
    """Takes in what people say; nothing is answered before it is on disk."""

    reply: Callable[[Reply], Incident]
    comment: Callable[[str, str, str], Incident]
    gate: Gate

    def open(self, app: FastAPI) -> None:
        """Add the routes."""

        @app.post("/incidents/{incident_id}/approve")
        def approve(incident_id: str, request: Request, body: Body) -> dict[str, Any]:
            """Allow what an incident asks for, once. 409 says why an answer does not count."""
            return self._answered(incident_id, True, request, body)

        @app.post("/incidents/{incident_id}/reject")
        def reject(incident_id: str, request: Request, body: Body) -> dict[str, Any]:
            """Forbid what an incident asks for; it is left to people. 409 says why an answer does not count."""
            return self._answered(incident_id, False, request, body)

        @app.post("/incidents/{incident_id}/comments", status_code=201)
        def comments(incident_id: str, request: Request, body: Body) -> dict[str, Any]:
            """Say something about an incident."""
            said = document.shaped(_Comment, self._posted(request, body))
            return views.detail(self.comment(incident_id, said.by, said.comment))

    def _answered(self, incident_id: str, approved: bool, request: Request, body: bytes) -> dict[str, Any]:
        said = document.shaped(_Answer, self._posted(request, body))
        reply = Reply(
            incident_id=incident_id,
            approved=approved,
            by=said.by,
            via=said.via,
            comment=said.comment,
            seen=said.version,
        )
        return views.detail(self.reply(reply))

    def _posted(self, request: Request, body: bytes) -> dict[str, Any]:
        return posted_by_person(request, body, self.gate)


def posted_by_person(request: Request, body: bytes, gate: Gate) -> dict[str, Any]:
    """Read the object that a person has posted. Raises SignatureInvalid, MediaUnsupported, PayloadUnreadable.

    It has to be declared as JSON: no other web site can make a browser post that without being allowed to.
    """
    headers = dict(request.headers)
    gate.person(headers)
    if not document.is_json(document.media_type(headers)):
        raise MediaUnsupported("Send JSON, with the header Content-Type: application/json.")
    content = document.read(body)
    if not isinstance(content, dict):
        raise PayloadUnreadable("The body has to be a JSON object.")
    return content
