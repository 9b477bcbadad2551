"""Retell: the postmortem of an incident. The facts are there at once; a model's words once it has written."""

from collections import OrderedDict
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from threading import Lock, Thread
from typing import Final, NamedTuple

import structlog

from aegis_core.domain.incident import Incident, fold
from aegis_core.domain.postmortem import Words, plain_summary, postmortem
from aegis_core.errors import BrainError
from aegis_core.ports import Incidents, Writer

PATIENCE: Final = 3.0  # seconds that whoever asks waits for words; they are kept for the next one
MOST_AT_WORK: Final = 2  # models that write at the same time
MOST_KEPT: Final = 200  # incidents whose words are kept

_Key = tuple[str, int]  # an incident and its version

log = structlog.get_logger("postmortem")


class Retold(NamedTuple):
    """A postmortem as Markdown, and its summary with who wrote that."""

    markdown: str
    summary: Words


class Postmortems:
    """Writes postmortems. Words of a model are asked for once for each version of an incident that has ended."""

    def __init__(self, incidents: Incidents, writer: Writer | None, patience: float = PATIENCE) -> None:
        self._incidents, self._writer, self._patience = incidents, writer, patience
        self._words: OrderedDict[_Key, Future[Words]] = OrderedDict()
        self._at_work = 0
        self._turn = Lock()

    def of(self, incident_id: str) -> Retold:
        """Tell an incident. Without a model, or where it fails or is late, the summary is put together from the facts.

        Raises IncidentUnknown, StoreUnavailable.
        """
        events = self._incidents.events(incident_id)
        incident = fold(events)
        plain = Words(text=plain_summary(incident))
        words = self._written(incident, postmortem(events, plain)) or plain
        return Retold(postmortem(events, words), words)

    def _written(self, incident: Incident, facts: str) -> Words | None:
        writing = self._begin((incident.id, incident.version), facts) if incident.closed else None
        if writing is not None:
            with suppress(BrainError, TimeoutError, CancelledError):
                return writing.result(self._patience)
        return None

    def _begin(self, key: _Key, facts: str) -> Future[Words] | None:
        """Ask for words, unless they are there, or on their way, or too many others are being written."""
        with self._turn:
            known = self._words.get(key)
            if known is not None and not _failed(known):
                return known
            if self._writer is None or self._at_work >= MOST_AT_WORK:
                return None
            self._at_work += 1
            writing = self._words[key] = Future[Words]()
            while len(self._words) > MOST_KEPT:
                self._words.popitem(last=False)
        Thread(target=self._write, args=(self._writer, facts, writing), name="postmortem", daemon=True).start()
        return writing

    def _write(self, writer: Writer, facts: str, writing: Future[Words]) -> None:
        try:
            writing.set_result(writer.write(facts))
        except BrainError as error:
            log.info("the words of a postmortem are put together without a model", reason=str(error))
            writing.set_exception(error)
        finally:
            writing.cancel()  # does nothing when there is a result; what broke is told by threading.excepthook
            with self._turn:
                self._at_work -= 1


def _failed(writing: Future[Words]) -> bool:
    return writing.done() and (writing.cancelled() or writing.exception() is not None)
