"""Releases: note which image each target runs healthily with, so that there is something to roll back to."""

from threading import Thread
from typing import Final

import structlog

from aegis_core.domain.policy import forbidden
from aegis_core.domain.release import Release, verified
from aegis_core.domain.target import Health, TargetState
from aegis_core.domain.verification import HTTP_OK
from aegis_core.errors import StoreError
from aegis_core.ports import Filter

from .tools import Tools

LOOK_SECONDS: Final = 5.0

log = structlog.get_logger("releases")


class Registrar:
    """Reads what the watcher has seen, in a thread of its own: nobody waits for a health URL because of it."""

    def __init__(self, tools: Tools, every: float = LOOK_SECONDS) -> None:
        self._tools, self._every = tools, every
        self._noted: dict[str, tuple[str, str]] = {}  # by name: the id and the image of the target that was noted
        self._thread = Thread(target=self._keep, name="registrar", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        while not self._tools.stopping.wait(self._every):
            try:
                self.look()
            except StoreError as error:
                log.warning("a release could not be noted", error=str(error))

    def look(self) -> None:
        """Note what has proven itself since the last look, each target once. Raises StoreUnavailable."""
        seen = [state for state, _ in self._tools.sightings.all()]
        names = {state.ref.name for state in seen}
        self._noted = {name: known for name, known in self._noted.items() if name in names}
        for state in seen:
            release = self._proven(state)
            if release:
                self._tools.releases.note(release)
                self._noted[state.ref.name] = (state.ref.id, state.image_id)
                log.info("a release has proven itself", target=state.ref.name, image=release.image)

    def _proven(self, state: TargetState) -> Release | None:
        if self._noted.get(state.ref.name) == (state.ref.id, state.image_id) or forbidden(state, self._tools.policy):
            return None
        release = verified(state, self._tools.verification.stability_seconds)
        return release if release and not self._in_trouble(state) and self._answers(state) else None

    def _in_trouble(self, state: TargetState) -> bool:
        _, open_ones = self._tools.incidents.list(Filter(target=state.ref.name, open=True), 1, 0)
        return open_ones > 0

    def _answers(self, state: TargetState) -> bool:
        """Ask the health URL of a target that has no check of its own."""
        if state.health is not Health.NONE or not state.health_url:
            return True
        return self._tools.prober.probe(state.health_url).status == HTTP_OK
