"""What was learned, in figures: the trust in each action, and how sure each source was against what was verified."""

from collections.abc import Sequence
from typing import Final

from aegis_dashboard import format as fmt
from aegis_dashboard.components.brain_figures import interval
from aegis_dashboard.components.chips import chip, moment
from aegis_dashboard.components.markup import Html, div, join, span, tag
from aegis_dashboard.learning_wire import Reliability, Trust
from aegis_dashboard.story import Tone

MOST_ROWS: Final = 12
_HINT: Final = "what is expected of it; below, the lower quartile that counts for a reflex"


def trust_table(rows: Sequence[Trust], clock: fmt.Clock) -> Html:
    """A row for each fault, image and action that there is a verified outcome of, the newest first."""
    titles = ("Fault", "Image", "Action", "Helped", "Trust", "At least", "Reflex", "Last")
    shown = _table(titles, [_row(one, clock) for one in rows[:MOST_ROWS]])
    rest = len(rows) - MOST_ROWS
    return join(shown, div(f"and {fmt.plural(rest, 'older one')}", cls="ag-muted") if rest > 0 else None)


def reliability_table(sources: Sequence[Reliability]) -> Html:
    """A row for each source: a good one is as sure as it is often right, and has a small error."""
    titles = ("Source", "Helped", "It had been", "Off by", "Brier score")
    return _table(titles, [_source(one) for one in sources])


def _table(titles: Sequence[str], rows: Sequence[Html]) -> Html:
    head = tag("thead", tag("tr", *(tag("th", title) for title in titles)))
    return div(tag("table", head, tag("tbody", *rows), cls="ag-ledger ag-scores"), cls="ag-wide")


def _row(one: Trust, clock: fmt.Clock) -> Html:
    tone = Tone.GOOD if one.reflexes else Tone.PLAIN
    reflex = chip("by reflex", tone, hint=f"{fmt.plural(one.reflexes, 'trouble')} answered without asking a model")
    return tag(
        "tr",
        tag("td", fmt.title(one.fault)),
        tag("td", one.image, cls="ag-code"),
        tag("td", tag("strong", one.action)),
        tag("td", f"{one.successes} of {one.successes + one.failures}", cls="ag-num"),
        tag("td", fmt.share(one.mean), cls="ag-num", title=_HINT),
        tag("td", fmt.share(one.lower), cls="ag-num"),
        tag("td", reflex if one.reflexes else span(fmt.NOTHING, cls="ag-muted")),
        tag("td", moment(clock, one.newest_at, long=True)),
    )


def _source(one: Reliability) -> Html:
    share = join(fmt.share(one.verified.share), " ", span(interval(one.verified), cls="ag-muted"))
    return tag(
        "tr",
        tag("td", tag("strong", one.source)),
        tag("td", share, cls="ag-num"),
        tag("td", f"{fmt.confidence(one.confidence)} sure", cls="ag-num"),
        tag("td", fmt.confidence(one.calibration.ece), cls="ag-num", title="expected calibration error over ten bins"),
        tag("td", fmt.confidence(one.brier), cls="ag-num", title="0 is best, 0.25 is guessing"),
    )
