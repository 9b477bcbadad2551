"""The diagnosis: a root cause, one action out of the closed set, and the evidence both rest on."""

from enum import StrEnum

from pydantic import Field

from .action import Action
from .model import Stored, Value


class Category(StrEnum):
    """The closed list of root causes."""

    OOM = "oom"  # memory at or over the limit, or killed by the kernel for it
    CPU_SATURATION = "cpu_saturation"  # the CPU allowance is used up
    DISK_FULL = "disk_full"  # ENOSPC, EDQUOT, a volume at 100 %
    FD_EXHAUSTION = "fd_exhaustion"  # EMFILE, ENFILE
    CONNECTION_LIMIT = "connection_limit"  # a pool or max_connections is used up
    RESOURCE_QUOTA = "resource_quota"  # another quota: pids, inotify watches, cloud quota
    DEPENDENCY_UNREACHABLE = "dependency_unreachable"  # refused, no route, down
    SLOW_DEPENDENCY = "slow_dependency"  # it answers, too late
    STALE_CONNECTION = "stale_connection"  # reset or broken after the other side restarted
    NETWORK_FAULT = "network_fault"  # loss, delay, wrong network
    DNS_FAILURE = "dns_failure"  # a name does not resolve
    TLS_EXPIRED = "tls_expired"  # a certificate is out of date or not trusted
    PERMISSION_DENIED = "permission_denied"  # EACCES, EPERM, authentication
    CONFIG_ERROR = "config_error"  # a variable, file or option is missing or wrong
    HEALTHCHECK_MISCONFIG = "healthcheck_misconfig"  # the check is wrong, the service is not
    PORT_CONFLICT = "port_conflict"  # EADDRINUSE
    BAD_IMAGE = "bad_image"  # wrong architecture, missing entry point, broken release
    APP_CRASH_BUG = "app_crash_bug"  # the program itself fails: exception, segfault, deadlock
    DB_SCHEMA_MISSING = "db_schema_missing"  # a table, column or migration is missing
    HOST_RUNTIME_DOWN = "host_runtime_down"  # the engine or the host is at fault
    HEALTHY = "healthy"  # nothing is wrong (any more)
    UNKNOWN = "unknown"  # the evidence does not tell


class Source(StrEnum):
    """The rung of the brain that answered."""

    RUNBOOK = "runbook"
    CLOUD = "cloud"
    OLLAMA = "ollama"
    RULES = "rules"


class Suspicion(Value):
    """One of several likely causes, before anybody has decided: what would follow from it, and what speaks for it."""

    category: Category
    action: Action
    confidence: float = Field(ge=0.0, le=1.0)
    evidence: tuple[str, ...]  # evidence lines, word for word


class Answer(Value):
    """What a model has to send back. The target is not in it: a model never chooses one.

    `evidence` names the evidence lines that the answer rests on by their numbers (`E3`) or their exact text.
    """

    root_cause: str = Field(min_length=3, max_length=600)
    category: Category
    action: Action
    confidence: float = Field(ge=0.0, le=1.0)
    justification: str = Field(min_length=3, max_length=1200)
    evidence: list[str] = Field(min_length=1, max_length=12)


class Tokens(Stored):
    """What a model's server says that it has read and written, repair round included."""

    prompt: int
    completion: int


class Diagnosis(Stored):
    """An answer that passed the checks, with where it came from."""

    root_cause: str
    category: Category
    action: Action
    confidence: float
    justification: str
    evidence: tuple[str, ...]  # the cited lines, word for word
    source: Source
    model: str = ""  # name of the model, or version of the rules
    seconds: float = 0.0
    tokens: Tokens | None = None  # None where no model was asked, or its server does not tell
    prompt: str = ""  # version of the prompt, where a model was asked
    passed_over: tuple[str, ...] = ()  # the rungs before this one, and why each gave no answer
    dissent: tuple[str, ...] = ()  # who saw it otherwise, and how
