"""All the wiring, in one straight line: settings → adapters → responder → API. Stopped in reverse order."""

import socket
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, Self

import structlog
from fastapi import FastAPI

from aegis_core.adapters.docker import DockerRuntime
from aegis_core.adapters.evaluations import EvaluationFolder
from aegis_core.adapters.notify.lessons import LessonChannel
from aegis_core.adapters.notify.outbox import Deliverer
from aegis_core.adapters.probe import HttpProber
from aegis_core.adapters.process.runtime import ProcessRuntime
from aegis_core.adapters.runbook.file import RunbookFile
from aegis_core.adapters.runbook.meaning import Meaning
from aegis_core.adapters.runbook.recall import LessonRecall
from aegis_core.adapters.runbook.reflex import ReflexRung
from aegis_core.adapters.store.database import Database
from aegis_core.adapters.store.event_log import SqlEventLog
from aegis_core.adapters.store.feed import SqlFeed
from aegis_core.adapters.store.incidents import Archive, SqlIncidents
from aegis_core.adapters.store.outbox import SqlOutbox
from aegis_core.adapters.store.queue import SqlWorkQueue
from aegis_core.adapters.store.releases import SqlReleases
from aegis_core.adapters.store.search import SqlTexts, SqlVectors
from aegis_core.adapters.store.standings import SqlStandings
from aegis_core.api.app import Check, Services, create_app
from aegis_core.api.messages import messages, performance
from aegis_core.brains import embedder_of, ladder, rungs_of, writer
from aegis_core.domain.incident import Incident
from aegis_core.domain.mapping import key_of, signal_of
from aegis_core.domain.signal import Report, Signal
from aegis_core.doors import channel_of, gate_of, slack_answers, slack_check
from aegis_core.errors import ConfigError, RunbookError, RuntimeUnavailable, StoreError
from aegis_core.pipeline.announce import routes_to
from aegis_core.pipeline.answers import Answers
from aegis_core.pipeline.detect import Inbox
from aegis_core.pipeline.live import Live
from aegis_core.pipeline.releases import Registrar
from aegis_core.pipeline.responder import Responder
from aegis_core.pipeline.retell import Postmortems
from aegis_core.pipeline.tools import Tools, Verification
from aegis_core.pipeline.watch import Eyes, Watcher
from aegis_core.ports import Brain, Channel, Clock, Effector, EventLog, EvidenceSource, Filter, Reverter, Sensor, Writer
from aegis_core.settings import RuntimeChoice, Settings
from aegis_core.telemetry import Metrics

log = structlog.get_logger("aegis")


class Runtime(Sensor, EvidenceSource, Effector, Reverter, Protocol):
    """Eyes, memory and hands of one runtime."""


@dataclass(frozen=True)
class Parts:
    """What a test may put in the place of the real thing; None: the real one."""

    runtime: Runtime | None = None
    brain: Brain | None = None
    writer: Writer | None = None
    channel: Channel | None = None
    events: Callable[[EventLog], EventLog] = lambda events: events
    clock: Clock = lambda: datetime.now(UTC)


class Agent:
    """Everything that runs, ready to be started and stopped as one."""

    def __init__(self, settings: Settings, parts: Parts = Parts()) -> None:
        """Build it. Raises ConfigError, AlreadyRunning, RuntimeUnavailable, StoreUnavailable."""
        clock = parts.clock
        with ExitStack() as opened:  # closes what was opened when something after it fails
            database = opened.enter_context(Database(settings.database_url))
            self._archive, incidents, outbox = Archive(database), SqlIncidents(database), SqlOutbox(database)
            runbook = RunbookFile(settings.runbook_path, recall=self._archive.lessons)
            channel = parts.channel or channel_of(settings)
            events = parts.events(SqlEventLog(database, routes_to([channel.name], LessonChannel.name)))
            queue = SqlWorkQueue(database, owner=f"{socket.gethostname()}"[:64])

            self.runtime = parts.runtime or opened.enter_context(closing(_runtime(settings, clock)))
            metrics = Metrics()
            metrics.judge(self._archive.outcomes)
            rungs = (ReflexRung(runbook), *rungs_of(settings))
            tools = Tools(
                clock=clock,
                born=clock(),
                sensor=self.runtime,
                effector=self.runtime,
                reverter=self.runtime,
                source=self.runtime,
                prober=HttpProber(settings.verify_timeout_seconds),
                brain=parts.brain or ladder(rungs, metrics.analysed),
                runbook=runbook,
                recall=_recall(settings, runbook, database),
                incidents=incidents,
                releases=SqlReleases(database),
                policy=settings.policy(own_names=frozenset({socket.gethostname()})),
                standings=SqlStandings(database),
                rates=settings.rates(),
                forecast_lead=settings.forecast_lead_seconds,
                verification=_verification(settings),
            )
            self._deliverer = Deliverer(outbox, [channel, LessonChannel(runbook)], clock)

            def changed(before: Incident, after: Incident) -> None:
                metrics.changed(before, after)
                self._deliverer.nudge()
                self._live.nudge()

            def submit_all(signals: Sequence[Signal]) -> Sequence[tuple[Incident, bool]]:
                taken = inbox.take_all(signals)
                new = [incident for incident, created in taken if created]
                for incident in new:
                    metrics.opened(incident)
                if new:
                    self._responder.nudge()
                    self._deliverer.nudge()
                self._live.nudge()
                return taken

            def submit(signal: Signal) -> tuple[Incident, bool]:
                return submit_all([signal])[0]

            def report(reports: Sequence[Report]) -> Sequence[Incident]:
                labels, now = settings.target_labels, clock()
                firing = [signal_of(one, labels, now) for one in reports if one.firing]
                touched = [incident for incident, _ in submit_all(firing)]
                cleared = inbox.clear([key_of(one) for one in reports if not one.firing])
                if cleared:
                    self._responder.nudge()
                touched += cleared
                return list({one.id: one for one in touched}.values())

            self._tools = tools
            figures = partial(performance, incidents, settings.manual_mttr_minutes)
            self._live = Live(SqlFeed(database), incidents, messages, figures)
            eyes = Eyes(self.runtime, self.runtime, self.runtime)
            self._responder = Responder(tools, events, queue, settings.workers, changed)
            answers = Answers(tools, events, changed, wake=self._responder.nudge)
            self._slack = slack_answers(settings, answers.reply)
            self._watcher = Watcher(eyes, tools, settings.sense_seconds, submit, tools.sightings)
            self._registrar = Registrar(tools)
            inbox = Inbox(
                events, tools.sightings.secrets_of, clock, settings.debounce_seconds, tools.rush,
                target_of=tools.sightings.target_of,
            )  # fmt: skip
            metrics.active.set_function(lambda: incidents.list(Filter(open=True), 1, 0)[1])
            self.services = Services(
                submit=submit,
                report=report,
                gate=gate_of(settings),
                reply=answers.reply,
                comment=answers.comment,
                live=self._live,
                postmortem=Postmortems(incidents, parts.writer or writer(rungs)).of,
                incidents=incidents,
                standings=SqlStandings(database),
                runbook=runbook,
                targets=tools.sightings.all,
                forecast=tools.sightings.forecast,
                checks=self._checks,
                registry=metrics.registry,
                policy=tools.policy,
                clock=clock,
                runtime="docker" if isinstance(self.runtime, DockerRuntime) else "process",
                brain=[rung.source for rung in rungs],
                evaluations=EvaluationFolder(settings.evaluations_path).all,
                outcomes=self._archive.outcomes,
                manual_mttr_minutes=settings.manual_mttr_minutes,
                dashboard_url=settings.dashboard_url,
            )
            self.app: FastAPI = create_app(self.services)
            self._opened = opened.pop_all()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin: take up unfinished incidents, deliver what waits, look at the targets."""
        try:
            self.services.runbook.lessons()  # writes the file on the first start
        except RunbookError as error:  # healing goes on; lessons wait in the outbox
            log.warning("the runbook cannot be used", error=str(error))
        recovered = self._responder.start()
        self._deliverer.start()
        self._live.start()
        if self._slack:
            self._slack.start()
        self._watcher.start()
        self._registrar.start()
        log.info("started", runtime=self.services.runtime, brain=list(self.services.brain), taken_back=recovered)

    def stop(self) -> None:
        """End in reverse order; unfinished incidents wait for the next start."""
        self._tools.stopping.set()
        self._registrar.join()
        if self._slack:
            self._slack.stop()
        self._watcher.join()
        self._responder.stop()
        self._live.stop()
        self._deliverer.stop()
        self._opened.close()

    def _checks(self) -> Sequence[Check]:
        return (
            _store_check(self._archive),
            Check("runtime", ok=not self._watcher.problem, detail=self._watcher.problem),
            Check("brain", ok=True, detail=" → ".join(self.services.brain)),
            *([slack_check(self._slack)] if self._slack else []),
        )


def build(settings: Settings, parts: Parts = Parts()) -> Agent:
    """Build an agent out of its settings. Raises ConfigError, AlreadyRunning, RuntimeUnavailable, StoreUnavailable."""
    return Agent(settings, parts)


def _store_check(archive: Archive) -> Check:
    try:
        return Check("store", ok=True, detail=f"{archive.count()} events")
    except StoreError as error:
        return Check("store", ok=False, detail=str(error))


def _runtime(settings: Settings, clock: Clock) -> DockerRuntime | ProcessRuntime:
    """Choose where the targets run. Raises ConfigError, RuntimeUnavailable with what to do."""
    if settings.runtime is not RuntimeChoice.PROCESS:
        try:
            everything = settings.watch == "all"
            url = settings.docker_host or None
            return DockerRuntime(url, settings.docker_timeout_seconds, clock, inspect_all=everything)
        except RuntimeUnavailable:
            if settings.runtime is RuntimeChoice.DOCKER or settings.processes is None:
                raise
    if settings.processes is None:
        raise ConfigError("AEGIS_RUNTIME=process needs AEGIS_PROCESSES: the TOML file that describes the targets")
    runtime = ProcessRuntime(settings.processes, settings.data_dir / "processes", clock)
    runtime.start()
    return runtime


def _recall(settings: Settings, runbook: RunbookFile, database: Database) -> LessonRecall:
    embedder = embedder_of(settings)
    meaning = Meaning(embedder, SqlVectors(database)) if embedder else None
    return LessonRecall(runbook, SqlTexts(database), meaning)


def _verification(settings: Settings) -> Verification:
    return Verification(
        attempts=settings.verify_attempts,
        wait_seconds=settings.verify_wait_seconds,
        wait_factor=settings.verify_wait_factor,
        limit_seconds=settings.verify_limit_seconds,
        stability_seconds=settings.stability_seconds,
        memory_percent=settings.memory_percent,
        cpu_percent=settings.cpu_percent,
        latency_seconds=settings.latency_seconds,
    )
