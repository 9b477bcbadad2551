"""Text for Slack: escaped, cut to Slack's limits, and without the power to mention or link anybody.

Limits: https://docs.slack.dev/reference/block-kit/blocks. `verbatim` keeps Slack from making links and mentions itself.
"""

import re
from datetime import UTC, datetime
from typing import Final

from slack_sdk.models.blocks import Block, ContextBlock, HeaderBlock, MarkdownTextObject, PlainTextObject

HEADER_LIMIT: Final = 150
SECTION_LIMIT: Final = 3_000
FIELD_LIMIT: Final = 2_000
PREVIEW_LIMIT: Final = 600
FACTS_LIMIT: Final = 500

_MENTION: Final = re.compile(r"(?<=@)(?=here|channel|everyone|group)|(?<=<)(?=[!@#])", re.IGNORECASE)
_SPLIT_ENTITY: Final = re.compile(r"&[a-z]{0,4}$")


def header(mark: str, line: str) -> Block:
    """Make the headline, with its sign in front."""
    return HeaderBlock(text=PlainTextObject(text=cut(f"{mark} {quiet(line)}", HEADER_LIMIT)))


def markdown(text: str, most: int = SECTION_LIMIT, title: str = "") -> MarkdownTextObject:
    """Make a text of at most `most` characters, below a title in bold if there is one."""
    head = f"*{escaped(title, FIELD_LIMIT // 2)}*" if title else ""
    body = escaped(text.strip(), most - len(head) - 1)
    return MarkdownTextObject(text="\n".join(part for part in (head, body) if part), verbatim=True)


def footer(facts: str, at: datetime, dashboard_url: str, page: str) -> Block:
    """Make the small print: facts, the time in the reader's own zone, and a link if there is a dashboard."""
    at = at.astimezone(UTC)
    when = f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time_secs}}|{at:%Y-%m-%d %H:%M:%S} UTC>"
    parts = [escaped(facts, FACTS_LIMIT), when]
    if dashboard_url:
        link = f"{dashboard_url.rstrip('/')}{page}"
        parts.append(f"<{link.replace('&', '&amp;')}|Open in Aegis>")
    return ContextBlock(elements=[MarkdownTextObject(text=" · ".join(parts), verbatim=True)])


def escaped(text: str, most: int) -> str:
    """Escape what Slack would read as markup, and cut; never within an entity."""
    whole = quiet(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return whole if len(whole) <= most else f"{_SPLIT_ENTITY.sub('', whole[: most - 1])}…"


def cut(text: str, most: int) -> str:
    """Cut a text that is too long, and show that it was."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def quiet(text: str) -> str:
    """Take the power out of @here and <!here>: a word joiner looks like nothing and ends the mention."""
    return _MENTION.sub("\u2060", text)
