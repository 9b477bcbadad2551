"""Serves the target app: `python -m aegis_infra.target_app`. Configured by the environment only, see settings.py."""

import faulthandler
import logging
import os
import signal
import socket
import sqlite3
import sys
import threading
from types import FrameType

from werkzeug.serving import WSGIRequestHandler, make_server

from aegis_infra.target_app.app import create_app
from aegis_infra.target_app.service import Service
from aegis_infra.target_app.settings import MIB, Settings, SettingsError, read_settings

log = logging.getLogger("aegis_infra.target_app.main")


class _QuietHandler(WSGIRequestHandler):
    """Writes no line for every request: the health check and the app's own traffic would drown the others."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:  # noqa: ARG002 - the base class's
        return


def main() -> int:
    """Serves until SIGTERM or SIGINT; returns the exit code, 2 for settings that cannot work."""
    try:
        settings = read_settings()
        listener = _listen(settings)
        app = create_app(settings)
    except (SettingsError, OSError, sqlite3.Error) as error:
        sys.stderr.write(f"The target app cannot start: {error}\n")
        return 2
    faulthandler.enable()
    threading.excepthook = _end_process
    signal.signal(signal.SIGTERM, _stop)
    service: Service = app.extensions["service"]
    host, port = listener.getsockname()[:2]
    # a thread for each request: those that wait for the database must not keep /reset from being answered
    server = make_server(host, port, app, threaded=True, request_handler=_QuietHandler, fd=listener.fileno())
    service.start(port)
    memory = service.meter.memory()
    log.info("serving on http://%s:%d, memory limit %.0f MiB (%s)", host, port, memory.limit_bytes / MIB, memory.source)
    try:
        server.serve_forever()
    except (KeyboardInterrupt, SystemExit):
        log.info("told to stop")
    finally:
        service.close()
    return 0


def _listen(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.port), backlog=128)
    except OSError as error:
        address = f"{settings.host}:{settings.port}"
        raise OSError(
            f"cannot listen on {address} ({error.strerror}); set APP_HOST and APP_PORT to a free one"
        ) from error


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit  # out of serve_forever


def _end_process(failure: threading.ExceptHookArgs) -> None:
    """A part of the shop that died without notice would be worse than a restart."""
    name = failure.thread.name if failure.thread else "unknown"
    details = (failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)
    log.critical("unhandled error in thread '%s', the process ends", name, exc_info=details)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main())
