"""What is broken in which way, and what is right then: the small services, and the target app's own faults."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from .scene import IMAGE as TARGET_IMAGE

BROKEN_IMAGE: Final = "aegis-acceptance-broken"
LOGGED: Final = "--label=aegis.log_pattern=*"
CHECKED: Final = ("--health-interval=500ms", "--health-retries=2", "--health-timeout=5s")
IDLE: Final = "sh -c 'echo idle; sleep 600'"
TINY_DISK: Final = "--tmpfs=/data:size=64k"
MEMORY: Final = ("--memory=64m", "--memory-swap=64m")
ASKED: Final = "python -c 'import urllib.request as u; u.urlopen(\"http://127.0.0.1:8000/health\")'"


class Broken(NamedTuple):
    """A container that is broken: how it is run, the fault by which it is noticed, and what is right.

    `options` may name `{network}` and what stands in `beside`: more containers, by their alias in a network of their
    own. The one in `gone` is removed once the log of the broken one holds `then`. `trigger`: of the target app, which
    is given the limits in `narrowed` before.
    """

    name: str
    fault: str
    category: str
    action: str
    why: str
    command: str = ""
    options: tuple[str, ...] = ()
    beside: Mapping[str, str] = {}
    gone: str = ""
    then: str = ""
    trigger: str = ""
    narrowed: tuple[str, ...] = ()
    also: tuple[str, ...] = ()

    @property
    def image(self) -> str:
        return TARGET_IMAGE if self.trigger else BROKEN_IMAGE


def _b(name: str, found: str, why: str, command: str, *options: str, **more: object) -> Broken:
    fault, category, action = found.split()
    return Broken(name, fault, category, action, why, command, options, **more)


SERVICES: Final = (
    _b(
        "port-taken", "crashed port_conflict NOOP", "Whoever has the port keeps it over any restart of this one.",
        "python -m http.server 8000", "--network=container:{web}", beside={"web": "python -m http.server 8000"},
    ),
    _b(
        "port-taken-again", "crash_loop port_conflict NOOP", "Its restart policy has tried that again and again.",
        "python -m http.server 8000", "--network=container:{web}", "--restart=always",
        beside={"web": "python -m http.server 8000"},
    ),
    _b(
        "disk-full", "crashed disk_full NOOP", "A restart frees nothing; here it would even begin to write at once.",
        "python exports.py", TINY_DISK,
    ),
    _b(
        "disk-full-runs", "error_logs disk_full NOOP", "It works on without its reports; a restart frees nothing.",
        "python reports.py", TINY_DISK, LOGGED,
    ),
    _b(
        "disk-full-dd", "crashed disk_full NOOP", "The same, said by another program.",
        "dd if=/dev/zero of=/data/backup bs=1k", TINY_DISK,
    ),
    _b(
        "disk-full-shell", "crashed disk_full NOOP", "The same, said by a shell, which calls it an I/O error.",
        "sh -c 'set -e; while :; do echo one more order >> /data/orders; done'", TINY_DISK,
    ),
    _b(
        "segfault", "crashed app_crash_bug RESTART", "Nothing but the exit code 139 is left; a fresh process may live.",
        "python thumbnails.py",
    ),
    _b(
        "segfault-again", "crash_loop app_crash_bug RESTART", "It falls again and again; more is not known of it.",
        "python thumbnails.py", "--restart=always",
    ),
    _b(
        "pool-used-up", "unhealthy connection_limit RESTART", "It has leaked them itself: a restart gives them back.",
        "python shop.py", f"--health-cmd={ASKED}", "--health-start-period=60s", *CHECKED,
    ),
    _b(
        "pool-used-up-crashed", "crashed connection_limit RESTART", "A pool of its own making, and it ended by it.",
        "python clerk.py",
    ),
    _b(
        "name-gone", "error_logs dns_failure NOOP", "The name has to come back; a restart asks for the same one.",
        "python orders.py db 5432", LOGGED, beside={"db": "python -m http.server 5432"}, gone="db", then="order sent",
    ),
    _b(
        "name-gone-at-start", "crashed dns_failure NOOP", "A service of that name has to be there first.",
        "python orders.py db 5432 1", beside={"web": IDLE},
    ),
    _b(
        "refused", "error_logs dependency_unreachable NOOP", "It tries on by itself; the other one has to listen.",
        "python orders.py db 5432", LOGGED, beside={"db": IDLE},
    ),
    _b(
        "refused-gave-up", "crashed dependency_unreachable RESTART", "Only a restart makes it try again.",
        "python orders.py db 5432 5", beside={"db": IDLE}, also=("NOOP",),
    ),
    _b(
        "variable-missing", "crashed config_error NOOP", "A restart reads the same environment.",
        "python billing.py",
    ),
    _b(
        "variable-missing-shell", "crash_loop config_error NOOP", "The same, said by a shell, again and again.",
        "sh -c 'exec python -m http.server ${PORT:?}'", "--restart=always",
    ),
    _b(
        "variable-missing-bash", "crashed config_error NOOP", "The same; exit code 127 as if a command was missing.",
        "bash -uc 'exec python -m http.server $PORT'",
    ),
    _b(
        "file-missing", "crashed config_error NOOP", "Somebody has to mount it.",
        "python tariffs.py",
    ),
    _b(
        "check-without-tool", "unhealthy healthcheck_misconfig NOOP", "The service works; its check has no curl.",
        "python -m http.server 8000", "--health-cmd=curl --fail http://localhost:8000/", *CHECKED,
    ),
    _b(
        "check-of-no-page", "unhealthy healthcheck_misconfig NOOP", "The service works; its check asks for no page.",
        "python -m http.server 8000", f"--health-cmd={ASKED}", *CHECKED,
    ),
    _b(
        "check-of-no-port", "unhealthy healthcheck_misconfig NOOP", "It listens, and is asked at another port.",
        "python -m http.server 8000", "--health-cmd=bash -c 'exec 3<>/dev/tcp/127.0.0.1/9000'", *CHECKED,
    ),
    _b(
        "certificate-expired", "error_logs tls_expired NOOP", "The other side needs a new certificate.",
        "python certificate.py pay", LOGGED, beside={"gateway": "python certificate.py serve"},
    ),
    _b(
        "files-used-up", "crashed fd_exhaustion NOOP", "The leak, or the limit, comes back with the next start.",
        "python uploads.py", "--ulimit=nofile=32:32", also=("RESTART",),
    ),
    _b(
        "files-used-up-runs", "error_logs fd_exhaustion NOOP", "The same, and it lives on without uploads.",
        "python uploads.py --on", "--ulimit=nofile=32:32", LOGGED, also=("RESTART",),
    ),
    _b(
        "memory-killed", "oom_killed oom RESTART", "A restart begins with empty memory.",
        "python cache.py", *MEMORY, also=("SCALE_UP",),
    ),
    _b(
        "bug", "crashed app_crash_bug RESTART", "The next run may meet another invoice.",
        "python invoices.py", also=("ROLLBACK",),
    ),
    _b(
        "not-allowed", "crashed permission_denied NOOP", "A restart is not allowed more.",
        "dd if=/dev/zero of=/etc/hosts bs=1 count=1", "--user=65534",
    ),
    _b(
        "module-missing", "crashed bad_image NOOP", "The image lacks it, and no other image is known to have run.",
        "python -m gunicorn shop", also=("ROLLBACK",),
    ),
    _b(
        "command-missing", "crashed bad_image NOOP", "The image lacks it, and no other image is known to have run.",
        "sh -c 'exec gunicorn shop:app'", also=("ROLLBACK",),
    ),
    _b(
        "table-missing", "crashed db_schema_missing NOOP", "Migrations have to run.",
        "python catalogue.py",
    ),
    _b(
        "no-more-threads", "crashed resource_quota NOOP", "It would meet the same limit of processes.",
        "python crawler.py", "--pids-limit=16",
    ),
    _b(
        "no-route", "error_logs network_fault NOOP", "Without a network there is none after a restart either.",
        "python orders.py 192.0.2.7 5432", "--network=none", LOGGED,
    ),
    _b(
        "connection-stale", "error_logs stale_connection RESTART", "It never opens a new one; a restart does.",
        "python warehouse.py", LOGGED, beside={"stock": "python stock.py once"},
    ),
    _b(
        "answer-late", "error_logs slow_dependency NOOP", "The other side is slow; a restart waits as long.",
        "python prices.py", LOGGED, beside={"stock": "python stock.py never"},
    ),
)  # fmt: skip

TARGET_APP: Final = (
    Broken("app-memory", "memory_pressure", "oom", "RESTART", "A restart ends its leak.", trigger="memory?rate=40"),
    Broken(
        "app-cpu", "cpu_saturation", "cpu_saturation", "RESTART", "It runs in circles; a restart ends that.",
        options=("--no-healthcheck", "--label=aegis.cpu_percent=10", "--label=aegis.for=3s"), trigger="cpu?percent=100",
        narrowed=("--cpus=0.2",),  # on a busy machine not even that is to be had
    ),
    Broken("app-latency", "latency", "slow_dependency", "NOOP", "It waits for its database.", trigger="db_latency"),
    Broken("app-crash", "crashed", "app_crash_bug", "RESTART", "It ended by its own error.", trigger="crash"),
    Broken("app-deadlock", "unhealthy", "app_crash_bug", "RESTART", "Its workers are locked.", trigger="unhealthy"),
    Broken("app-errors", "error_logs", "dependency_unreachable", "NOOP", "Nobody listens there.", trigger="errors"),
    Broken("app-disk", "disk_pressure", "disk_full", "NOOP", "A restart frees nothing.", trigger="disk?rate=40"),
)  # fmt: skip

BROKEN: Final = (*TARGET_APP, *SERVICES)  # what takes longest begins first
