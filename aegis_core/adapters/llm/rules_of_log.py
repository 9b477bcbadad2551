"""Rules that rest on what the log says. The wordings are those of common software; none is quoted from a case."""

from typing import Final

from aegis_core.domain.action import Action
from aegis_core.domain.diagnosis import Category
from aegis_core.domain.signal import Fault

from .rule import Rule, any_of

_STUCK: Final = frozenset({Fault.UNHEALTHY, Fault.LATENCY})
_ERRORS: Final = frozenset({Fault.ERROR_LOGS, Fault.CUSTOM})
_MENDS: Final = "A restart gives it a fresh process."
_NOT_MENDED: Final = "A restart would meet the same cause again; a person has to mend it."

LOG_RULES: Final = (
    Rule(
        category=Category.OOM,
        action=Action.RESTART,
        weight=0.82,
        log=any_of(
            r"out of memory|outofmemory|\bmemoryerror\b|cannot allocate memory",
            r"std::bad_alloc|memory allocation of \d+ bytes failed|\boom[- ]?kill",
        ),
        root_cause="It ran out of memory: {seen}",
        justification="A restart begins with empty memory.",
    ),
    Rule(
        category=Category.PORT_CONFLICT,
        action=Action.NOOP,
        weight=0.88,
        log=any_of(r"address (?:is )?already in use", r"\beaddrinuse\b", r"port is already allocated"),
        root_cause="The port that it wants is taken: {seen}",
        justification=_NOT_MENDED,
    ),
    Rule(
        category=Category.RESOURCE_QUOTA,
        action=Action.NOOP,
        weight=0.88,
        log=any_of(
            r"number of file watchers|inotify.{0,60}(?:limit|no space|too many)",
            r"(?:can'?t|cannot|unable to|failed to) (?:fork|start new thread|create (?:new |native )?thread)",
            r"pthread_create failed|fork.{0,40}resource temporarily unavailable",
            r"quota.{0,30}exceeded(?<!disk quota exceeded)",
        ),
        root_cause="A quota is used up: {seen}",
        justification=_NOT_MENDED,
    ),
    Rule(
        category=Category.DISK_FULL,
        action=Action.NOOP,
        weight=0.88,
        log=any_of(
            r"no space\b|\benospc\b|disk quota exceeded|\bedquot\b|not enough (?:free )?disk space",
            r"disk (?:is )?full|out of disk",
        ),
        root_cause="There is no disk space left: {seen}",
        justification="A restart frees no disk space; somebody has to make room.",
    ),
    Rule(
        category=Category.FD_EXHAUSTION,
        action=Action.NOOP,
        weight=0.84,
        log=any_of(r"too many open files", r"\be[mn]file\b", r"file descriptor limit"),
        root_cause="It has no file descriptors left: {seen}",
        justification="The limit or the leak comes back after a restart; a person has to look.",
    ),
    Rule(
        category=Category.CONNECTION_LIMIT,
        action=Action.RESTART,
        weight=0.76,
        log=any_of(
            r"queuepool limit|pool (?:is )?exhausted|connection pool.{0,40}(?:exhausted|timed? ?out|full)",
            r"hikaripool.{0,80}(?:not available|timed out)|timeout waiting for (?:idle object|connection)",
        ),
        root_cause="Its connection pool is used up: {seen}",
        justification="A restart gives back the connections that it leaked.",
    ),
    Rule(
        category=Category.CONNECTION_LIMIT,
        action=Action.NOOP,
        weight=0.8,
        log=any_of(
            r"too many (?:clients|connections)|remaining connection slots",
            r"max(?:imum)? (?:number of )?(?:clients|connections) (?:exceeded|reached)",
        ),
        root_cause="No more connections are allowed: {seen}",
        justification="The limit is on the other side, or is too low; a restart would not raise it.",
    ),
    Rule(
        category=Category.TLS_EXPIRED,
        action=Action.NOOP,
        weight=0.86,
        log=any_of(
            r"certificate (?:has |is )?expired|certificate has expired or is not yet valid",
            r"certificate_verify_failed|\bx509: certificate|self[- ]signed certificate|pkix path",
        ),
        root_cause="A certificate is out of date or not trusted: {seen}",
        justification=_NOT_MENDED,
    ),
    Rule(
        category=Category.DB_SCHEMA_MISSING,
        action=Action.NOOP,
        weight=0.86,
        log=any_of(
            r"(?:relation|table|column) [\\\"'`\w.]{1,120} (?:does not|doesn't) exist|no such (?:table|column)",
            r"unknown column|\bundefined(?:table|column)\b|\b42p01\b|(?:pending|unapplied) migrations?",
        ),
        root_cause="The database lacks what it needs: {seen}",
        justification="Migrations have to run; a restart would meet the same schema.",
    ),
    Rule(
        category=Category.DNS_FAILURE,
        action=Action.NOOP,
        weight=0.82,
        log=any_of(
            r"could not (?:be resolved|resolve)|name or service not known|temporary failure in name resolution",
            r"\benotfound\b|\beai_again\b|no such host|unknown (?:mysql server )?host|unknownhostexception",
            r"\bnxdomain\b|host not found in upstream",
        ),
        root_cause="A name does not resolve: {seen}",
        justification=_NOT_MENDED,
    ),
    Rule(
        category=Category.PERMISSION_DENIED,
        action=Action.NOOP,
        weight=0.84,
        log=any_of(
            r"permission denied|\beacces\b|\beperm\b|operation not permitted|access denied",
            r"authentication failed|pg_hba\.conf|avc: {1,3}denied",
        ),
        root_cause="It is not allowed to do what it needs to: {seen}",
        justification=_NOT_MENDED,
    ),
    Rule(
        category=Category.BAD_IMAGE,
        action=Action.NOOP,
        weight=0.85,
        log=any_of(
            r"exec format error|executable file not found|\bexec: .{1,100}: not found|cannot find module",
            r"\bmodulenotfounderror\b|\bimporterror:|error while loading shared libraries|glibc_\d",
            r"errimagepull|imagepullbackoff|manifest unknown|pull access denied|\bnoclassdeffounderror\b",
        ),
        root_cause="The image is broken or made for another machine: {seen}",
        justification=_NOT_MENDED,
    ),
    Rule(
        category=Category.CONFIG_ERROR,
        action=Action.NOOP,
        weight=0.84,
        log=any_of(
            r"(?:missing|required|undefined|unset).{0,40}(?:variable|setting|option|configuration|config)\b",
            r"(?:variable|setting|option) .{1,80}(?:not set|unset|missing|required|not defined)",
            r"\b[a-z0-9]{1,30}_[a-z0-9_]{1,40} (?:(?:is )?not set|is required|is missing|must be set)",
            r"\benviron\b|\bkeyerror: ['\"](?:[a-z0-9_]{1,40}_)?"
            r"(?:url|uri|key|host|port|token|secret|password|level|dsn|dir|bucket)['\"]",
            r"(?:invalid|bad|unknown|unrecognized) (?:configuration|config|option|setting|directive|command[- ]line)",
            r"(?:configuration|config)(?: file)?.{0,80}(?:failed|invalid|error|not found|does not exist|unreadable)",
            r"(?:failed to|cannot|could not|unable to) (?:load|read|parse|open|find) .{0,60}"
            r"(?:config|\.ya?ml|\.toml|\.ini|\.env)",
            r"\[emerg\]|data directory .{1,160}does not exist|read-only transaction",
        ),
        root_cause="Its configuration is wrong or incomplete: {seen}",
        justification=_NOT_MENDED,
    ),
    Rule(
        category=Category.HOST_RUNTIME_DOWN,
        action=Action.NOOP,
        weight=0.8,
        log=any_of(
            r"cannot connect to the docker daemon|read-only file ?system|\berofs\b|input/output error",
            r"i/o error, dev|transport endpoint is not connected|stale (?:nfs )?file handle",
        ),
        root_cause="The host or its storage is at fault: {seen}",
        justification=_NOT_MENDED,
    ),
    Rule(
        category=Category.NETWORK_FAULT,
        action=Action.NOOP,
        weight=0.8,
        log=any_of(
            r"no route to host",
            r"network is unreachable",
            r"\be(?:host|net)unreach\b",
            r"network partition",
            r"[1-9]\d{0,2}% packet loss",
        ),
        root_cause="The network does not carry it to where it wants: {seen}",
        justification=_NOT_MENDED,
    ),
    *(
        Rule(
            category=Category.DEPENDENCY_UNREACHABLE,
            action=action,
            weight=weight,
            down=down,
            log=any_of(
                r"connection refused|\beconnrefused\b",
                r"(?:could not|can'?t|cannot|unable to|failed to) (?:re-?)?connect|no healthy upstream",
                r"service (?:temporarily )?unavailable",
                r"database (?:system )?is (?:starting up|not available|down|shutting down)",
            ),
            root_cause="A service that it needs is not reachable: {seen}",
            justification=justification,
        )
        for down, action, weight, justification in (
            (True, Action.RESTART, 0.74, "It gave up waiting and is down; the other service may be back by now."),
            (None, Action.NOOP, 0.73, "The other service has to come back; restarting this one does not bring it."),
        )
    ),
    Rule(
        category=Category.STALE_CONNECTION,
        action=Action.RESTART,
        weight=0.72,
        faults=_STUCK | _ERRORS,
        log=any_of(
            r"connection reset by peer|\beconnreset\b|broken pipe|server closed the connection",
            r"connection (?:was |is |already )?closed|(?:mysql )?server has gone away|lost connection to",
        ),
        root_cause="It holds a connection that the other side has closed: {seen}",
        justification="A restart opens its connections anew.",
    ),
    *(
        Rule(
            category=Category.SLOW_DEPENDENCY,
            action=Action.NOOP,
            weight=weight,
            faults=faults,
            log=any_of(
                r"slow (?:query|request|response|database|db)",
                r"(?:query|request|response|call|statement|upstream|database|db)\b.{0,60}\b(?:took|timed? ?out|slow)",
                r"lock wait timeout|deadlock detected|canceling statement",
                r"(?:statement|read|query|request|gateway|connect(?:ion)?)[ -]time-?d?[- ]?out|\betimedout\b",
                r"deadline exceeded|\btook [1-9]\d{3,8} ?ms|\blatency\b.{0,40}\d|timed out",
            ),
            root_cause="A service that it needs answers too late: {seen}",
            justification="The delay is on the other side; a restart would drop requests and wait just as long.",
        )
        for faults, weight in ((frozenset({Fault.LATENCY}), 0.82), (_ERRORS, 0.76))
    ),
    Rule(
        category=Category.APP_CRASH_BUG,
        action=Action.RESTART,
        weight=0.84,
        faults=_STUCK,
        log=any_of(
            r"\bworker timeout\b|\bdead ?lock(?:ed)?\b(?! detected)|blocked for more than|\bwatchdog\b",
            r"event loop (?:is )?blocked|thread pool (?:is )?exhausted",
        ),
        root_cause="It hangs: {seen}",
        justification=_MENDS,
    ),
)
