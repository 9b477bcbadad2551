"""A notice as a Slack message: Block Kit, and the text that stands for it in previews."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from slack_sdk.models.blocks import (
    Block,
    ContextBlock,
    RichTextBlock,
    RichTextElementParts,
    RichTextPreformattedElement,
    RichTextSectionElement,
    SectionBlock,
)

from aegis_core.domain.notice import Notice, NoticeKind

from . import wording
from .slack_answer import answer_blocks
from .slack_text import FIELD_LIMIT, PREVIEW_LIMIT, cut, escaped, footer, header, markdown, quiet

LOG_LIMIT: Final = 2_500  # characters of log lines: Slack does not fold code, and nobody scrolls through it at night
LOG_LINE_LIMIT: Final = 500
ID_LIMIT: Final = 128  # the store has no longer ones

_MARK: Final = {
    NoticeKind.RECEIVED: "🟠",
    NoticeKind.APPROVAL: "✋",
    NoticeKind.ACTING: "🔧",
    NoticeKind.RESOLVED: "✅",
    NoticeKind.FAILED: "🚨",
}


def message(notice: Notice, dashboard_url: str = "", buttons: bool = False) -> tuple[str, list[Block]]:
    """Render a notice: the preview text, and the blocks. Without a dashboard URL there is no link.

    `buttons`: somebody listens to what is clicked; without that a question says how it can be answered by hand.
    """
    notice = wording.masked(notice)
    head = header(_MARK.get(notice.kind, "•"), _line(notice))
    body = [*_question(notice), *answer_blocks(notice, buttons)] if _asks(notice) else _body(notice)
    return escaped(wording.sentence(notice), PREVIEW_LIMIT), [head, *body, _footer(notice, dashboard_url)]


def _asks(notice: Notice) -> bool:
    return notice.kind is NoticeKind.APPROVAL


def _question(notice: Notice) -> Iterable[Block]:
    shown = f" ({notice.shown})" if notice.shown else ""
    yield from _titled("What Aegis would do", f"{notice.action} of {notice.target}{shown}")
    yield from _titled("Why it asks", notice.reason)
    yield from _cause(notice, "Suspected cause")
    yield from _titled("What the agents say", "\n".join(f"• {vote}" for vote in notice.votes))


def _line(notice: Notice) -> str:
    return " ".join(wording.headline(notice).split())


def _body(notice: Notice) -> Iterable[Block]:
    match notice.kind:
        case NoticeKind.ACTING:
            yield from _cause(notice, "Suspected cause")
            yield from _small("Allowed:", notice.reason)
        case NoticeKind.RESOLVED:
            yield from _cause(notice, "Root cause")
            yield from _titled("It keeps coming back", notice.advice)
            yield _outcome(notice)
            if wording.acted(notice) and notice.impact:
                yield from _small("Saved =", notice.impact.formula)
            yield from _lesson(notice)
        case NoticeKind.FAILED:
            yield from _titled("Why Aegis stops here", notice.reason)
            yield from _titled("What to do", notice.advice or wording.LOOK_YOURSELF)
            yield from _cause(notice, "Suspected cause")
            yield _outcome(notice)
            yield from _log(notice)
        case _:
            yield SectionBlock(text=markdown(f"{notice.summary or _line(notice)}\nAegis is looking into it."))


def _cause(notice: Notice, title: str) -> Iterable[Block]:
    by = wording.diagnosed_by(notice)
    yield from _titled(f"{title} ({by})" if by else title, notice.root_cause)


def _titled(title: str, text: str) -> Iterable[Block]:
    if text.strip():
        yield SectionBlock(text=markdown(text, title=title))


def _small(title: str, text: str) -> Iterable[Block]:
    if text.strip():
        yield ContextBlock(elements=[markdown(f"{title} {text}", FIELD_LIMIT)])


def _outcome(notice: Notice) -> Block:
    healed = notice.kind is NoticeKind.RESOLVED and wording.acted(notice)
    fields = {"Done": wording.done(notice)}
    if notice.seconds is not None:
        fields["Healed in" if healed else "Open for"] = wording.duration(notice.seconds)
    if healed:
        fields["Attempts"] = str(notice.attempts)
    if healed and notice.impact:
        fields["Saved"] = wording.money(notice.impact.saved_dollars)
    return SectionBlock(fields=[markdown(text, FIELD_LIMIT, title) for title, text in fields.items()])


def _lesson(notice: Notice) -> Iterable[Block]:
    if notice.lesson:
        held = "it held" if notice.lesson.verified_healthy else "it did not hold"
        text = f"{notice.lesson.issue} → {notice.lesson.fix}: {held}. Kept in the runbook."
        yield from _titled("Lesson", text)


def _log(notice: Notice) -> Iterable[Block]:
    """Show the newest lines as code. Rich text is taken literally: a log line cannot format, link or mention."""
    kept, room = list[str](), LOG_LIMIT
    for line in reversed(notice.log_lines):
        shown = cut(quiet(line), LOG_LINE_LIMIT)
        room -= len(shown) + 1
        if room < 0:
            break
        kept.append(shown)
    if any(line.strip() for line in kept):
        title = RichTextElementParts.Text(text="Last log lines", style=RichTextElementParts.TextStyle(bold=True))
        code = RichTextElementParts.Text(text="\n".join(reversed(kept)))
        yield RichTextBlock(
            elements=[RichTextSectionElement(elements=[title]), RichTextPreformattedElement(elements=[code])]
        )


def _footer(notice: Notice, dashboard_url: str) -> Block:
    facts = f"{notice.severity} · {wording.FAULTS[notice.fault]} · incident {notice.incident_id}"
    page = f"/incidents?incident={quote(notice.incident_id[:ID_LIMIT], safe='')}"
    return footer(facts, notice.at, dashboard_url, page)
