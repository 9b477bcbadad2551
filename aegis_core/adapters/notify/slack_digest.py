"""A digest as a Slack message: Block Kit, and the text that stands for it in previews."""

from collections.abc import Iterable
from typing import Final

from slack_sdk.models.blocks import Block, ContextBlock, SectionBlock

from aegis_core.domain.notice import Digest

from . import digest_wording as wording
from .slack_text import FIELD_LIMIT, PREVIEW_LIMIT, cut, escaped, footer, header, markdown
from .wording import duration

TARGET_LIMIT: Final = 200  # characters of one target's line: all that are named fit into one section


def digest_message(digest: Digest, dashboard_url: str = "") -> tuple[str, list[Block]]:
    """Render a digest: the preview text, and the blocks. Without a dashboard URL there is no link."""
    digest = wording.masked(digest)
    blocks = [header(_mark(digest), wording.headline(digest)), *_body(digest)]
    facts = f"what happened within {duration((digest.at - digest.since).total_seconds())}"
    blocks.append(footer(facts, digest.at, dashboard_url, "/incidents"))
    return escaped(wording.sentence(digest), PREVIEW_LIMIT), blocks


def _mark(digest: Digest) -> str:
    if digest.failed.incidents:
        return "🚨"
    if digest.asked.incidents:
        return "✋"
    return "🟠" if digest.under_way.incidents else "✅"


def _body(digest: Digest) -> Iterable[Block]:
    for told in wording.shares(digest):
        named = [f"• {cut(name, TARGET_LIMIT)}" for name in wording.targets(told.share)]
        lines = [*wording.counts(told.share), *named, *wording.others(told.share)]
        yield SectionBlock(text=markdown("\n".join(lines), title=told.title))
    for line in wording.singly(digest):
        yield ContextBlock(elements=[markdown(line, FIELD_LIMIT)])
