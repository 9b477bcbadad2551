"""The answers of the target app, as the dashboard reads them."""

from aegis_dashboard.fields import Text, Texts, Wire


class Fault(Wire):
    """A fault of the target app, as its GET /faults describes it."""

    name: str
    description: Text = ""
    expect: Text = ""
    active: bool = False


class AppStatus(Wire):
    """The target app's GET /status, as far as it is shown."""

    container_name: Text = ""
    uptime_seconds: float | None = None
    memory_bytes: int | None = None
    memory_limit_bytes: int | None = None
    memory_percent: float | None = None
    cpu_percent: float | None = None
    latency_p95_ms: float | None = None
    error_rate_percent: float | None = None
    disk_bytes: int | None = None
    disk_limit_bytes: int | None = None
    active_faults: Texts = ()
