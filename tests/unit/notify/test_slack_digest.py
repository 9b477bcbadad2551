"""The Block Kit of a digest, and what no target's name may do to it."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aegis_core.adapters.notify.limits import NAMED
from aegis_core.adapters.notify.slack_digest import digest_message
from aegis_core.domain.notice import Digest, Named, Share
from aegis_core.domain.signal import Fault, Severity
from tests.integration.slack_server import block_faults, mentions

NOBODY = Share()


def rendered(digest: Digest, dashboard_url: str = "") -> dict[str, Any]:
    text, blocks = digest_message(digest, dashboard_url)
    return {"text": text, "blocks": [block.to_dict() for block in blocks]}


def full(names: list[str], count: int = 99_999) -> Share:
    """A share that names as many targets as there can be."""
    return Share(
        incidents=count,
        targets=count,
        faults=dict.fromkeys(Fault, count),
        severities=dict.fromkeys(Severity, count),
        worst=tuple(Named(target=name, fault=Fault.ERROR_LOGS, severity=Severity.CRITICAL) for name in names),
    )


def test_a_digest_begins_with_the_counts_and_names_the_worst(digest: Digest) -> None:
    header, failed, resolved, singly, footer = rendered(digest)["blocks"]
    assert header["text"]["text"] == "🚨 37 incidents need a person; 12 are resolved"
    assert failed["text"]["text"].splitlines() == [
        "*Need a person*",
        "2 critical, 35 warning",
        "30 × crashed, 7 × memory pressure",
        "• db (critical, memory pressure)",
        "• web-1 (warning, crashed)",
        "and 28 more targets",
    ]
    assert resolved["text"]["text"].startswith("*Resolved*\n12 warning\n")
    assert singly["elements"][0]["text"] == "5 more told one by one."
    assert footer["elements"][0]["text"].startswith("what happened within 2 min 10 s · <!date^1795140725^")


def test_the_link_leads_to_all_incidents_and_is_absent_without_a_dashboard(digest: Digest) -> None:
    footer = rendered(digest, "http://host:8501/")["blocks"][-1]["elements"][0]["text"]
    assert footer.endswith("<http://host:8501/incidents|Open in Aegis>")
    assert "Open in Aegis" not in json.dumps(rendered(digest))


@pytest.mark.parametrize(
    ("empty", "sign"), [((), "🚨"), (("failed",), "🟠"), (("failed", "under_way"), "✅")], ids=["🚨", "🟠", "✅"]
)
def test_the_sign_is_that_of_the_worst(digest: Digest, empty: tuple[str, ...], sign: str) -> None:
    told = digest.model_copy(update={"under_way": digest.resolved, **dict.fromkeys(empty, NOBODY)})
    assert rendered(told)["blocks"][0]["text"]["text"][0] == sign


def test_all_that_is_named_fits_however_long_the_names_are(digest: Digest) -> None:
    names = [f"{number}-{'x' * 256}" for number in range(NAMED)]
    payload = rendered(digest.model_copy(update=dict.fromkeys(("failed", "resolved", "under_way"), full(names))))
    assert block_faults(payload["blocks"]) == []
    for block in payload["blocks"][1:4]:
        lines = block["text"]["text"].splitlines()
        assert [line[2:4] for line in lines if line.startswith("•")] == [f"{number}-" for number in range(NAMED)]
        assert lines[-1] == f"and {99_999 - NAMED} more targets"


def test_slack_makes_no_links_or_mentions_out_of_names(digest: Digest) -> None:
    bait = "<!channel> @here <https://evil.example|fix>"
    payload = rendered(digest.model_copy(update={"failed": full([bait])}))
    assert mentions(payload) == []
    section = payload["blocks"][1]["text"]
    assert section["verbatim"] is True
    assert "<" not in section["text"]


def test_no_secret_in_a_name_reaches_slack(digest: Digest) -> None:
    payload = rendered(digest.model_copy(update={"failed": full(["password=hunter2"])}))
    assert "hunter2" not in json.dumps(payload)


pieces = st.text(max_size=30) | st.sampled_from(["&", "<", ">", "@here", "<!channel>", "*", "\n", "\0", "x" * 500])
nasty = st.lists(pieces, max_size=8).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(names=st.lists(nasty, min_size=1, max_size=NAMED))
def test_slack_would_take_whatever_targets_are_called(digest: Digest, names: list[str]) -> None:
    told = digest.model_copy(update=dict.fromkeys(("failed", "resolved", "under_way"), full(names)))
    payload = rendered(told, "http://host:8501")
    assert block_faults(payload["blocks"]) == []
    assert mentions(payload) == []
    assert 1 <= len(payload["text"]) <= 600
    json.dumps(payload, ensure_ascii=False).encode()
