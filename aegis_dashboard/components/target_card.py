"""Targets: a card for each that Aegis watches, a row for each that it does not."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from aegis_dashboard import format as fmt
from aegis_dashboard.components.chips import chip, target_chip, target_word
from aegis_dashboard.components.curve import LIMIT_PERCENT, curve
from aegis_dashboard.components.markup import Html, div, join, span, tag
from aegis_dashboard.story import Tone
from aegis_dashboard.wire import Target, Usage

HOT_PERCENT: Final = 85.0  # the core's default threshold for memory and CPU
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


def _urgency(target: Target) -> tuple[bool, bool, str]:
    _, tone = target_word(target)
    return (target.open_incident_id is None, tone is not Tone.BAD, target.name)


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


def _memory(target: Target) -> _Measure:
    usage, limit = target.usage, target.limits.memory_bytes
    if limit:
        figure = f"{fmt.size(usage.memory_bytes)} of {fmt.size(limit)}" if usage else f"limit {fmt.size(limit)}"
        percents = [sample.memory_percent for sample in target.series]
        return _Measure("Memory", usage.memory_percent if usage else None, figure, percents)
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
    return div(top, curve(measure.values, "bad" if hot else "work", label, limit), cls="ag-measure")


def _span(series: Sequence[Usage]) -> str:
    if len(series) < 2:  # noqa: PLR2004 - a span has two ends
        return "no samples yet"
    return f"last {fmt.rough((series[-1].at - series[0].at).total_seconds())}"


def _folded(summary: str, targets: Sequence[Target]) -> Html | None:
    if not targets:
        return None
    return tag("details", tag("summary", summary), div(*map(_row, targets), cls="ag-rows"), cls="ag-fold")


def _row(target: Target) -> Html:
    why = "part of Aegis" if target.own else "" if target.opted_in else "not opted in"
    usage = target.usage
    figures = f"memory {fmt.percent(usage.memory_percent)} · CPU {fmt.percent(usage.cpu_percent)}" if usage else ""
    return div(
        target_chip(target),
        span(target.name, cls="ag-name"),
        span(figures, cls="ag-muted ag-num"),
        span(why, cls="ag-muted"),
        cls="ag-row",
    )
