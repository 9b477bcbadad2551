"""Targets: a card for each that Aegis watches, a row for each that it does not."""

from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple

from aegis_dashboard import format as fmt
from aegis_dashboard.components.chips import chip, target_chip, target_word
from aegis_dashboard.components.curve import LIMIT_PERCENT, Ahead, curve
from aegis_dashboard.components.markup import Html, div, join, span, tag
from aegis_dashboard.story import Tone
from aegis_dashboard.wire import Forecast, Target, Usage

HOT_PERCENT: Final = 85.0  # the core's default threshold for memory and CPU
SOON_SECONDS: Final = 1_800.0  # a limit that is reached later than this worries nobody yet
_MOST_CARDS: Final = 24


def cards(targets: Sequence[Target], clock: fmt.Clock) -> Html:
    """The watched targets as cards, those in trouble first, and the others in a folded list."""
    watched = sorted((one for one in targets if one.opted_in and not one.own), key=_urgency)
    others = sorted((one for one in targets if not one.opted_in or one.own), key=lambda one: (one.own, one.name))
    shown, more = watched[:_MOST_CARDS], watched[_MOST_CARDS:]
    grid = div(*(card(one, clock) for one in shown), cls="ag-grid") if shown else None
    return join(
        grid,
        _folded(f"{fmt.plural(len(more), 'more watched target')}", more),
        _folded(f"{fmt.plural(len(others), 'target')} not watched", others),
    )


def card(target: Target, clock: fmt.Clock) -> Html:
    """State, uptime, restarts, and memory and CPU against their limits."""
    head = div(span(target.name, cls="ag-name", title=target.name), target_chip(target), cls="ag-card-head")
    measures = (_drawn(measure, target.series) for measure in (_memory(target), _cpu(target)))
    troubled = " ag-card-open" if target.open_incident_id else ""
    return div(head, _facts(target, clock), *measures, cls=f"ag-card{troubled}")


def _urgency(target: Target) -> tuple[bool, bool, float, str]:
    _, tone = target_word(target)
    coming = forecast_of(target)
    seconds = coming.seconds_to_limit if coming else inf
    return (target.open_incident_id is None, tone is not Tone.BAD, seconds, target.name)


def forecast_of(target: Target) -> Forecast | None:
    """The forecast where there is something to fill: what has ended, or reached its limit, has no more of it."""
    usage = target.usage
    full = usage is not None and (usage.memory_percent or 0.0) >= LIMIT_PERCENT
    return target.forecast if target.run == "running" and not full else None


def _facts(target: Target, clock: fmt.Clock) -> Html:
    facts = []
    if target.run == "running" and target.started_at:
        facts.append(f"up {fmt.rough(clock.since(target.started_at))}")
    elif target.exit_code is not None:
        facts.append(f"exit code {target.exit_code}")
    facts += [fmt.plural(target.restart_count, "restart"), target.image]
    text = span(" · ".join(fact for fact in facts if fact), cls="ag-muted ag-cut", title=target.image or None)
    incident = chip("incident open", Tone.WARN) if target.open_incident_id else None
    return div(text, incident, cls="ag-card-facts")


class _Measure(NamedTuple):
    """Memory or CPU: the newest percentage, the figure beside it, and the samples to draw."""

    name: str
    percent: float | None
    figure: str
    values: Sequence[float | None]
    limited: bool = True
    forecast: Forecast | None = None


def _memory(target: Target) -> _Measure:
    usage, limit = target.usage, target.limits.memory_bytes
    if limit:
        figure = f"{fmt.size(usage.memory_bytes)} of {fmt.size(limit)}" if usage else f"limit {fmt.size(limit)}"
        percents = [sample.memory_percent for sample in target.series]
        percent = usage.memory_percent if usage else None
        return _Measure("Memory", percent, figure, percents, forecast=forecast_of(target))
    figure = f"{fmt.size(usage.memory_bytes)}, no limit" if usage else "no limit"
    return _Measure("Memory", None, figure, [float(sample.memory_bytes) for sample in target.series], limited=False)


def _cpu(target: Target) -> _Measure:
    usage, cpus = target.usage, target.limits.cpus
    figure = f"of {cpus:g} CPU" if cpus else "of the host"
    return _Measure("CPU", usage.cpu_percent if usage else None, figure, [one.cpu_percent for one in target.series])


def _drawn(measure: _Measure, series: Sequence[Usage]) -> Html:
    hot = measure.percent is not None and measure.percent >= HOT_PERCENT
    percent = fmt.percent(measure.percent) if measure.percent is not None else ""
    top = div(
        span(measure.name, cls="ag-label"),
        span(percent, cls="ag-figure ag-num" + (" ag-hot" if hot else "")),
        span(measure.figure, cls="ag-muted ag-num"),
        cls="ag-measure-head",
    )
    label = f"{measure.name} {percent} {measure.figure}, {_span(series)}; dashed: the limit"
    limit = LIMIT_PERCENT if measure.limited else None
    coming = measure.forecast
    tone = Tone.BAD if hot else Tone.WARN if _is_soon(coming) else Tone.WORK
    drawn = curve(measure.values, tone, label, limit, _ahead(coming, _seconds(series)) if coming else None)
    high = " ag-measure-ahead" if coming else ""
    return div(top, drawn, _told(coming) if coming else None, cls=f"ag-measure{high}")


def _is_soon(coming: Forecast | None) -> bool:
    return coming is not None and coming.seconds_to_limit < SOON_SECONDS


def _told(coming: Forecast) -> Html:
    """When the limit is reached, and between which times that is."""
    interval = span(fmt.between(coming.earliest, coming.latest), cls="ag-muted ag-num")
    text = f"reaches the limit in about {fmt.about(coming.seconds_to_limit)}"
    tone = Tone.WARN if _is_soon(coming) else Tone.PLAIN
    return div(span(text, cls="ag-coming"), interval, cls=f"ag-forecast ag-{tone}", title=coming.words or None)


def _ahead(coming: Forecast, seconds: float) -> Ahead | None:
    if seconds <= 0:
        return None
    return Ahead(coming.seconds_to_limit / seconds, coming.earliest / seconds, coming.latest / seconds)


def _seconds(series: Sequence[Usage]) -> float:
    return (series[-1].at - series[0].at).total_seconds() if series else 0.0


def _span(series: Sequence[Usage]) -> str:
    seconds = _seconds(series)
    return f"last {fmt.rough(seconds)}" if seconds > 0 else "no samples yet"


def _folded(summary: str, targets: Sequence[Target]) -> Html | None:
    if not targets:
        return None
    return tag("details", tag("summary", summary), div(*map(_row, targets), cls="ag-rows"), cls="ag-fold")


def _row(target: Target) -> Html:
    why = "part of Aegis" if target.own else "" if target.opted_in else "not opted in"
    usage, coming = target.usage, forecast_of(target)
    figures = f"memory {fmt.percent(usage.memory_percent)} · CPU {fmt.percent(usage.cpu_percent)}" if usage else ""
    if coming:
        figures += f" · memory full in about {fmt.about(coming.seconds_to_limit)}"
    return div(
        target_chip(target),
        span(target.name, cls="ag-name"),
        span(figures, cls="ag-muted ag-num"),
        span(why, cls="ag-muted"),
        cls="ag-row",
    )
