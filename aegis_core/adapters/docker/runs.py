"""Starting, stopping and restarting a container, each with what must be known of it afterwards."""

from aegis_core.errors import ActionUnsupported, RuntimeUnavailable, TargetGone

from .client import Engine, translated
from .state import Inspection, name_of, stop_timeout
from .stops import Stops


class Runs:
    """Ends and begins runs of containers.

    Each raises TargetGone; ActionUnsupported where the engine will never do it; RuntimeUnavailable, which leaves open
    whether it happened.
    """

    def __init__(self, engine: Engine, stops: Stops) -> None:
        self._engine = engine
        self._stops = stops

    def restart(self, inspection: Inspection) -> None:
        """Stop it, its stop timeout honoured, and start it. That this is no person's stop is remembered."""
        container, name = inspection["Id"], name_of(inspection)
        self._stops.restart_begins(inspection)
        try:
            with translated(f"restarting {name}", refusal=ActionUnsupported):
                # The SDK waits for the answer as much longer than its own time limit as the stop may take.
                self._engine.restart(container, timeout=round(stop_timeout(inspection)))
        except RuntimeUnavailable as problem:
            raise type(problem)(f"{problem}; it may have happened all the same") from problem
        except (TargetGone, ActionUnsupported):
            self._stops.restart_is_over(container)
            raise
        self._stops.restart_is_over(container)

    def start(self, inspection: Inspection) -> None:
        """Start it; nothing happens where it runs."""
        with translated(f"starting {name_of(inspection)}", refusal=ActionUnsupported):
            self._engine.start(inspection["Id"])

    def stop(self, inspection: Inspection) -> None:
        """Stop it, its stop timeout honoured; nothing happens where it does not run."""
        with translated(f"stopping {name_of(inspection)}", refusal=ActionUnsupported):
            self._engine.stop(inspection["Id"], timeout=round(stop_timeout(inspection)))
