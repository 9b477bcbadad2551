"""The live stream: WebSockets that follow the event log, all of it or one incident. The only async code of the core."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, Final, Protocol
from urllib.parse import urlsplit

from fastapi import FastAPI, Query, WebSocket
from starlette.websockets import WebSocketDisconnect

from aegis_core.errors import IncidentUnknown, StoreError
from aegis_core.pipeline.live import Entry, Live
from aegis_core.ports import Clock

from .messages import frames, heartbeat, marked
from .problems import RETRY_AFTER, problem

HEARTBEAT_SECONDS: Final = 15.0
SEND_SECONDS: Final = 10.0  # within which a message has to have left; who takes longer is dropped, and may come again
CLOSE_SECONDS: Final = 2.0
GOING_AWAY, TRY_AGAIN = 1001, 1013  # https://www.iana.org/assignments/websocket
MOST_SINCE: Final = 2**62

Since = Annotated[int | None, Query(ge=0, le=MOST_SINCE)]


@dataclass(frozen=True)
class Stream:
    """Adds the routes. `dashboard_url` is the one other site whose pages may connect from a browser."""

    live: Live
    clock: Clock
    dashboard_url: str = ""

    def open(self, app: FastAPI) -> None:
        @app.websocket("/ws")
        async def everything(socket: WebSocket, since: Since = None) -> None:
            """Follow all incidents, from now on or after the `since` of the last message that was seen."""
            await self._serve(socket, lambda newest: _Everything(self.live, newest, since))

        @app.websocket("/ws/incidents/{incident_id}")
        async def room(socket: WebSocket, incident_id: str, since: Since = 0) -> None:
            """Follow one incident from its beginning, or after the `since` of the last message that was seen."""
            await self._serve(socket, lambda newest: _Room(self.live, newest, incident_id, since or 0))

    async def _serve(self, socket: WebSocket, follow: "Callable[[int], Follower]") -> None:
        if not self._welcome(socket):
            return await socket.send_denial_response(problem(403, "Request refused", "Pages of other sites may not."))
        if self.live.full or self.live.over:
            return await socket.send_denial_response(problem(503, "Too many follow", "Come again later.", RETRY_AFTER))
        try:
            async with _following(self.live) as (newest, woken):
                follower = follow(newest)
                first = await follower.catch_up()  # also tells whether there is such an incident
                await socket.accept()
                with suppress(WebSocketDisconnect):
                    await self._tell(socket, follower, first, woken)
        except IncidentUnknown as error:
            await socket.send_denial_response(problem(404, "No such incident", str(error)))
        except StoreError as error:
            await _refuse(socket, str(error))
        return None

    def _welcome(self, socket: WebSocket) -> bool:
        """A browser says which site opens the connection; its own rules would let every site read along."""
        origin = socket.headers.get("origin")
        if origin is None:
            return True
        place = urlsplit(origin).netloc.lower()
        own = {socket.headers.get("host", "").lower(), urlsplit(self.dashboard_url).netloc.lower()} - {""}
        return place in own

    async def _tell(self, socket: WebSocket, follower: "Follower", first: Sequence[str], woken: asyncio.Event) -> None:
        """Send what there is and what comes, until the other side leaves, is too slow, or the agent ends."""
        left = asyncio.create_task(_until_left(socket))
        try:
            told: Sequence[str] = first
            while not left.done() and not self.live.over:
                for message in told:
                    await asyncio.wait_for(socket.send_text(message), SEND_SECONDS)
                told = await follower.news()
                if not told and not await _woken(woken, left):
                    told = [marked(heartbeat(self.clock()), follower.since)]
            if not left.done():
                await _close(socket, GOING_AWAY, "The agent ends; come again.")
        except TimeoutError:
            await _close(socket, TRY_AGAIN, "Too slow; come again with the last since.")
        finally:
            left.cancel()


class Follower(Protocol):
    """Where somebody is in the stream. `since` is what to ask for to go on from there."""

    since: int

    async def catch_up(self) -> Sequence[str]:
        """Return what is to be sent first. Raises IncidentUnknown, StoreUnavailable."""

    async def news(self) -> Sequence[str]:
        """Return what has happened since, in order; nothing where nothing has. Raises StoreUnavailable."""


class _Everything:
    def __init__(self, live: Live, newest: int, since: int | None) -> None:
        self._live = live
        self.since = newest if since is None else min(since, newest)  # one of another store means nothing here
        self._seen = 0

    async def catch_up(self) -> Sequence[str]:
        return self._figures()

    async def news(self) -> Sequence[str]:
        told = [message for entry in await _after(self._live, self.since) for message in self._frames(entry)]
        return told or self._figures()

    def _frames(self, entry: Entry) -> Sequence[str]:
        self.since = entry.position
        return frames(entry.messages, entry.position)

    def _figures(self) -> Sequence[str]:
        number, summed = self._live.figures
        if number == self._seen:
            return ()
        self._seen = number
        return [marked(summed, self.since)]


class _Room:
    def __init__(self, live: Live, newest: int, incident_id: str, since: int) -> None:
        self._live, self._position, self._incident_id, self.since = live, newest, incident_id, since

    async def catch_up(self) -> Sequence[str]:
        entries = await asyncio.to_thread(self._live.room, self._incident_id, self.since)
        return self._frames(entries)

    async def news(self) -> Sequence[str]:
        while entries := await _after(self._live, self._position):
            self._position = entries[-1].position
            told = self._frames(entry for entry in entries if entry.incident_id == self._incident_id)
            if told:
                return told
        return ()

    def _frames(self, entries: Iterable[Entry]) -> Sequence[str]:
        told: list[str] = []
        for entry in entries:
            if entry.version > self.since:
                self.since = entry.version
                told += frames(entry.messages, entry.version)
        return told


async def _after(live: Live, position: int) -> Sequence[Entry]:
    kept = live.kept_after(position)
    return await asyncio.to_thread(live.read, position) if kept is None else kept


@asynccontextmanager
async def _following(live: Live) -> AsyncIterator[tuple[int, asyncio.Event]]:
    """Follow as long as this lasts. Gives the newest position and what is set whenever there is something new."""
    loop, woken = asyncio.get_running_loop(), asyncio.Event()

    def wake() -> None:
        with suppress(RuntimeError):  # the loop has ended, and with it whoever followed
            loop.call_soon_threadsafe(woken.set)

    newest = await asyncio.to_thread(live.join, wake)
    try:
        yield newest, woken
    finally:
        live.leave(wake)


async def _woken(woken: asyncio.Event, left: "asyncio.Task[None]") -> bool:
    """Wait until there is something new or the other side has left; False where neither came for a while."""
    waiting = asyncio.create_task(woken.wait())
    try:
        done, _ = await asyncio.wait({waiting, left}, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
        woken.clear()
    return bool(done)


async def _until_left(socket: WebSocket) -> None:
    """Read until the other side has closed. What it says means nothing here."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass


async def _close(socket: WebSocket, code: int, reason: str) -> None:
    with suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        await asyncio.wait_for(socket.close(code, reason), CLOSE_SECONDS)


async def _refuse(socket: WebSocket, reason: str) -> None:
    """The store is away: before the connection is accepted that is a 503, later an end that asks to come again."""
    if socket.client_state.name == "CONNECTED" and socket.application_state.name == "CONNECTED":
        return await _close(socket, TRY_AGAIN, "The store is away; come again with the last since.")
    return await socket.send_denial_response(problem(503, "The store is away", reason, RETRY_AFTER))
