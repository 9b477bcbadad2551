"""What a digest says to people."""

import pytest

from aegis_core.adapters.notify import digest_wording as wording
from aegis_core.domain.notice import Digest, Named, Share
from aegis_core.domain.signal import Fault, Severity

NOBODY = Share()


def changed(digest: Digest, **shares: Share) -> Digest:
    return digest.model_copy(update={"resolved": NOBODY, "singly": 0, **shares})


def share(incidents: int) -> Share:
    return Share(
        incidents=incidents,
        targets=incidents,
        faults={Fault.CRASHED: incidents},
        severities={Severity.CRITICAL: incidents},
        worst=(Named(target="web", fault=Fault.CRASHED, severity=Severity.CRITICAL),),
    )


def test_a_digest_is_one_complete_line(digest: Digest) -> None:
    assert wording.sentence(digest) == (
        "37 incidents need a person; 12 are resolved. "
        "Need a person: 2 critical, 35 warning; 30 × crashed, 7 × memory pressure; "
        "db (critical, memory pressure), web-1 (warning, crashed), and 28 more targets. "
        "Resolved: 12 warning; 12 × crashed; cache (warning, crashed). "
        "5 more told one by one."
    )


@pytest.mark.parametrize(
    ("failed", "resolved", "under_way", "said"),
    [
        (1, 0, 0, "1 incident needs a person"),
        (2, 1, 1, "2 incidents need a person; 1 is resolved; 1 is being looked into"),
        (0, 1, 2, "1 incident is resolved; 2 are being looked into"),
        (0, 0, 21, "21 incidents are being looked into"),
    ],
)
def test_the_headline_counts_those_who_need_a_person_first(
    digest: Digest, failed: int, resolved: int, under_way: int, said: str
) -> None:
    told = changed(digest, failed=share(failed), resolved=share(resolved), under_way=share(under_way))
    assert wording.headline(told) == said


def test_one_target_that_is_not_named_is_one(digest: Digest) -> None:
    assert wording.sentence(changed(digest, failed=share(2))).endswith("; web (critical, crashed), and 1 more target.")
    assert "more" not in wording.sentence(changed(digest, failed=share(1)))


def test_names_from_outside_are_masked(digest: Digest) -> None:
    named = Named(target="password=hunter2\nforged", fault=Fault.CRASHED, severity=Severity.CRITICAL)
    bad = share(1).model_copy(update={"worst": (named,)})
    for name in ("failed", "resolved", "under_way"):
        said = wording.sentence(wording.masked(changed(digest, **{"failed": NOBODY, name: bad})))
        assert "hunter2" not in said
        assert "\n" not in said


def test_no_name_is_more_than_one_line() -> None:
    named = Named(target="web\n37 incidents\r\nare resolved", fault=Fault.CRASHED, severity=Severity.CRITICAL)
    (said,) = wording.targets(share(1).model_copy(update={"worst": (named,)}))
    assert said == "web 37 incidents are resolved (critical, crashed)"
