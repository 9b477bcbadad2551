"""`aegis serve`: runs the agent until it is told to stop."""

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import structlog
import typer
import uvicorn
from fastapi import FastAPI

from aegis_core.bootstrap import build
from aegis_core.settings import RuntimeChoice, load
from aegis_core.telemetry import configure_logs

from .client import core_url
from .ending import Ended, Ending
from .services import take_port

GRACE_SECONDS = 5  # for requests under way
HEARD_BYTES = 4_096  # of a message of whoever follows the live stream: what they say means nothing

log = structlog.get_logger("aegis")


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (AEGIS_HOST).")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on (AEGIS_PORT).")] = None,
    runtime: Annotated[RuntimeChoice | None, typer.Option(help="Where the targets run (AEGIS_RUNTIME).")] = None,
    processes: Annotated[Path | None, typer.Option(help="Describes the targets of the process runtime.")] = None,
) -> None:
    """Run the agent. SIGTERM or Ctrl-C ends it; what is unfinished is taken up at the next start."""
    given: dict[str, Any] = {"host": host, "port": port, "runtime": runtime, "processes": processes}
    settings = load(**{name: value for name, value in given.items() if value is not None})
    configure_logs(settings.log_level)
    try:
        with (
            Ending() as ending,
            take_port(settings.host, settings.port, "AEGIS_PORT") as listener,
            ExitStack() as started,
        ):
            with ending.held():  # a start that is cut short would leave targets behind
                agent = build(settings)
                started.callback(agent.stop)
                agent.start()
            log.info("serving", url=core_url(settings))
            _server(agent.app).run(sockets=[listener])
    except Ended as ended:
        log.info("stopped", by=str(ended))


def _server(app: FastAPI) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ws_max_size=HEARD_BYTES,
    )
    return uvicorn.Server(config)
