"""All the wiring of the target app: settings → parts of the shop → faults → monitor."""

import os
import time
from typing import Any

import psutil

from aegis_infra.target_app.alerts import Watch, rules
from aegis_infra.target_app.disk import DiskSpace
from aegis_infra.target_app.exports import Exports
from aegis_infra.target_app.faults import FaultBoard
from aegis_infra.target_app.journal import start_logging
from aegis_infra.target_app.limits import Limits
from aegis_infra.target_app.meter import Meter
from aegis_infra.target_app.monitor import Monitor
from aegis_infra.target_app.orders import OrderBook
from aegis_infra.target_app.payments import PaymentGateway
from aegis_infra.target_app.pricing import PriceCalculation
from aegis_infra.target_app.reports import ReportCache
from aegis_infra.target_app.settings import MIB, Settings
from aegis_infra.target_app.settlement import Settlement
from aegis_infra.target_app.stock import StockImport
from aegis_infra.target_app.traffic import RequestStatistics, SelfTraffic
from aegis_infra.target_app.webhook import Outbox, http_post
from aegis_infra.target_app.workers import SalesWorkers


class Service:
    """The shop with its parts. Making one starts nothing; raises OSError or sqlite3.Error on an unusable directory."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.started_at = time.monotonic()
        self.journal = start_logging(settings.log_level)
        self.requests = RequestStatistics(settings.traffic_window_seconds)
        self.orders = OrderBook(
            settings.data_dir / "orders.db", settings.db_timeout_seconds, settings.slow_query_seconds
        )
        self.orders.create()
        self.disk = DiskSpace(settings.data_dir, settings.disk_quota_bytes)
        self.meter = Meter(_limits(settings), self.disk, self.requests)
        self.payments = PaymentGateway()
        self.workers = SalesWorkers()
        self.exports = Exports(settings.data_dir / "exports", self.disk)
        self.pricing = PriceCalculation(self.meter.cpu_cores)
        self.faults = FaultBoard(
            {
                "memory": ReportCache(self.meter.memory, settings.memory_hold_seconds),
                "cpu": self.pricing,
                "db_latency": StockImport(self.orders),
                "crash": Settlement(),
                "unhealthy": self.workers,
                "errors": self.payments,
                "disk": self.exports,
            }
        )
        post = http_post(f"{settings.aegis_url}/webhook", settings.webhook_token, settings.webhook_timeout_seconds)
        self.outbox = Outbox(post)
        self.monitor = Monitor(
            measure=self.meter.measure,
            watches=[Watch(rule, settings.cooldown_seconds) for rule in rules(settings)],
            outbox=self.outbox,
            container_name=settings.container_name,
            last_lines=self.journal.text,
            interval_seconds=settings.monitor_interval_seconds,
        )

    def start(self, port: int) -> None:
        """Starts the workers, the monitor, and the app's own traffic to `port`."""
        self.exports.tell_what_is_left()
        self.workers.run()
        self.outbox.start()
        self.monitor.start()
        SelfTraffic(self.settings.host, port, self.settings.traffic_interval_seconds).start()

    def close(self) -> None:
        """Ends the child processes; everything else ends with this process."""
        self.pricing.stop()

    def reset(self) -> list[str]:
        """Ends all faults and forgets the requests that suffered from them; returns the names of the faults."""
        ended = self.faults.reset()
        self.requests.clear()
        return ended

    def status(self) -> dict[str, Any]:
        """What the app knows of itself, ready for JSON; CPU is the monitor's newest figure."""
        memory, newest = self.meter.memory(), self.monitor.newest
        disk_bytes, disk_limit_bytes = self.disk.usage()
        return {
            "container_name": self.settings.container_name,
            "pid": os.getpid(),
            "uptime_seconds": round(time.monotonic() - self.started_at, 1),
            "memory_bytes": memory.used_bytes,
            "memory_limit_bytes": memory.limit_bytes,
            "memory_limit_source": memory.source,
            "memory_percent": round(memory.percent, 1),
            "cpu_percent": newest and newest.metrics().get("cpu_percent"),
            "cpu_limit_cores": self.meter.cpu_cores(),
            "latency_p95_ms": _rounded(self.requests.latency_p95_ms()),
            "error_rate_percent": _rounded(self.requests.error_rate_percent()),
            "disk_bytes": disk_bytes,
            "disk_limit_bytes": disk_limit_bytes,
            "active_faults": self.faults.active(),
            "waiting_webhooks": self.outbox.pending(),
        }


def _limits(settings: Settings) -> Limits:
    memory_bytes = None if settings.memory_limit_mb is None else int(settings.memory_limit_mb * MIB)
    return Limits(memory_bytes, settings.cpu_limit, psutil.virtual_memory().total)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 1)
