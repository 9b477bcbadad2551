"""The HTTP face of the target app."""

import logging
import sqlite3
import time
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, g, jsonify, request
from flask.typing import ResponseReturnValue

from aegis_infra.target_app.faults import FAULTS, FaultError
from aegis_infra.target_app.service import Service
from aegis_infra.target_app.settings import Settings

TRACEBACK_SECONDS = 5.0  # a traceback at most so often, a line for every failure

log = logging.getLogger(__name__)


def create_app(settings: Settings) -> Flask:
    """The Flask app around a new Service, which is `app.extensions["service"]` and not started yet."""
    app = Flask("aegis_infra.target_app", static_folder=None)
    service = Service(settings)
    app.extensions["service"] = service
    _add_shop(app, service)
    _add_faults(app, service)
    _add_failures(app)
    return app


def _add_shop(app: Flask, service: Service) -> None:
    @app.get("/")
    def about() -> dict[str, Any]:
        return {
            "name": service.settings.container_name,
            "what": "A small order service with faults on purpose, to be healed by Aegis.",
            "try": [
                "/health",
                "/orders",
                "/status",
                "/metrics",
                "/faults",
                *(f"/trigger_{fault.name}" for fault in FAULTS),
                "/reset",
            ],
        }

    @app.get("/health")
    def health() -> ResponseReturnValue:
        reasons = service.workers.stuck()
        try:
            seconds = service.orders.ping()
        except sqlite3.Error as error:
            return _unhealthy([*reasons, f"database: {error}"])
        return _unhealthy(reasons) if reasons else {"status": "healthy", "database_ms": round(1000 * seconds, 1)}

    @app.get("/orders")
    def orders() -> dict[str, Any]:
        newest, turnover = service.orders.newest(), service.orders.turnover_cents()
        service.payments.check()
        return {"orders": newest, "turnover_cents": turnover}

    @app.get("/status")
    def status() -> dict[str, Any]:
        return service.status()

    @app.get("/metrics")
    def metrics() -> Response:
        newest = service.monitor.newest
        lines = [f"shop_{name} {value}\n" for name, value in (newest.metrics() if newest else {}).items()]
        return Response(lines, mimetype="text/plain")  # as Prometheus reads it

    _measure_orders(app, service)


def _unhealthy(reasons: list[str]) -> ResponseReturnValue:
    return {"status": "unhealthy", "reasons": reasons}, HTTPStatus.SERVICE_UNAVAILABLE


def _measure_orders(app: Flask, service: Service) -> None:
    """Latency and errors are those of /orders, what customers feel; the other pages would only blur them."""

    @app.before_request
    def start_clock() -> None:
        g.started = time.monotonic()

    @app.after_request
    def record(response: Response) -> Response:
        if request.path == "/orders":
            service.requests.record(
                time.monotonic() - g.started, response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR
            )
        return response


def _add_faults(app: Flask, service: Service) -> None:
    @app.get("/faults")
    def faults() -> ResponseReturnValue:
        return jsonify(service.faults.listing())

    @app.route("/reset", methods=["GET", "POST"])
    def reset() -> dict[str, Any]:
        return {"status": "reset", "ended": service.reset()}

    def trigger(name: str) -> ResponseReturnValue:
        try:
            return service.faults.start(name, request.values)
        except FaultError as error:
            return {"error": str(error)}, HTTPStatus.BAD_REQUEST

    for fault in FAULTS:
        app.add_url_rule(
            f"/trigger_{fault.name}",
            f"trigger_{fault.name}",
            trigger,
            methods=["GET", "POST"],
            defaults={"name": fault.name},
        )


def _add_failures(app: Flask) -> None:
    last_traceback = -TRACEBACK_SECONDS

    @app.errorhandler(OSError)
    @app.errorhandler(sqlite3.Error)
    def failed(error: Exception) -> ResponseReturnValue:
        nonlocal last_traceback
        now = time.monotonic()
        in_full = now - last_traceback >= TRACEBACK_SECONDS
        if in_full:
            last_traceback = now
        cause = " - ".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
        log.error("%s %s failed with 500: %s", request.method, request.path, cause, exc_info=error if in_full else None)
        return {"error": cause}, HTTPStatus.INTERNAL_SERVER_ERROR
