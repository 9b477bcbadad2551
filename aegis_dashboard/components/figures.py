"""The figures of the Impact page: the tiles on top, and the ledger that they are sums of."""

from collections.abc import Sequence
from typing import Final

from aegis_dashboard import format as fmt
from aegis_dashboard import names
from aegis_dashboard.components.chips import incident_link, moment, status_chip
from aegis_dashboard.components.markup import Html, div, join, span, tag
from aegis_dashboard.wire import ImpactReport, ImpactRow

MOST_ROWS: Final = 50


def tiles(report: ImpactReport) -> Html:
    """Time to heal, how often an action healed, money saved, and what was left to people."""
    acted = sum(row.attempts > 0 for row in report.incidents)
    healed = sum(row.outcome == "healed" for row in report.incidents)
    return div(
        _tile("MTTR, mean time to heal", fmt.duration(report.avg_mttr_seconds), _against(report)),
        _tile("Success rate", fmt.share(report.success_rate), f"{healed} healed of {acted} that were acted on"),
        _tile("Money saved", fmt.money(report.total_cost_savings), "by the formula below"),
        _tile("Left to people", f"{report.incidents_failed:,}", "ended FAILED, with a reason"),
        cls="ag-tiles",
    )


def ledger(rows: Sequence[ImpactRow], clock: fmt.Clock) -> Html:
    """Every incident with its time, its money and the formula with its inputs; newest first."""
    newest = sorted(rows, key=lambda row: row.opened_at, reverse=True)
    body = tag("tbody", *(_row(row, clock) for row in newest[:MOST_ROWS]))
    titles = ("Opened", "Incident", "Took", "Saved", "Computed as")
    head = tag("thead", tag("tr", *(tag("th", title) for title in titles)))
    table = tag("table", head, body, cls="ag-ledger")
    rest = len(newest) - MOST_ROWS
    return join(table, div(f"and {fmt.plural(rest, 'older one')}", cls="ag-muted") if rest > 0 else None)


def _tile(title: str, figure: str, note: str) -> Html:
    return div(
        div(title, cls="ag-label"), div(figure, cls="ag-tile-figure ag-num"), div(note, cls="ag-muted"), cls="ag-panel"
    )


def _against(report: ImpactReport) -> str:
    seconds = report.avg_mttr_seconds
    if not seconds or not report.manual_mttr_minutes:
        return "no incident healed so far"
    times = report.manual_mttr_minutes * 60 / seconds
    return f"{times:,.0f}× faster than {report.manual_mttr_minutes:g} min by hand"


def _row(row: ImpactRow, clock: fmt.Clock) -> Html:
    what = join(
        status_chip(row.status),
        " ",
        fmt.title(row.fault),
        span(" on ", cls="ag-muted"),
        names.target(row.container_name),
        " ",
        incident_link(row.incident_id),
    )
    saved = fmt.money(row.saved_dollars) if row.saved_dollars else fmt.NOTHING
    return tag(
        "tr",
        tag("td", moment(clock, row.opened_at, long=True)),
        tag("td", what),
        tag("td", fmt.duration(row.seconds), cls="ag-num"),
        tag("td", saved, cls="ag-num"),
        tag("td", row.formula or fmt.NOTHING, cls="ag-muted"),
    )
