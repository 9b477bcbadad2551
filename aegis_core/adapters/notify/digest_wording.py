"""What a digest says, in the same words for every channel. Plain text: no markup, no secrets."""

from collections.abc import Sequence
from typing import NamedTuple

from aegis_core.domain.masking import mask
from aegis_core.domain.notice import Digest, Share

from .wording import FAULTS


class Told(NamedTuple):
    """A share of a digest that is not empty, with its title and what is said of one and of many such incidents."""

    share: Share
    title: str
    one: str
    many: str


def shares(digest: Digest) -> Sequence[Told]:
    """Return what there is to tell: who needs a person or an answer, then who is healed, then who is being treated."""
    told = (
        Told(digest.failed, "Need a person", "needs a person", "need a person"),
        Told(digest.asked, "Wait for your answer", "waits for your answer", "wait for your answer"),
        Told(digest.resolved, "Resolved", "is resolved", "are resolved"),
        Told(digest.under_way, "Being looked into", "is being looked into", "are being looked into"),
    )
    return [one for one in told if one.share.incidents]


def masked(digest: Digest) -> Digest:
    """Return the digest with everything that came from outside cleaned and masked once more."""
    names = ("failed", "asked", "resolved", "under_way")
    return digest.model_copy(update={name: _masked(getattr(digest, name)) for name in names})


def headline(digest: Digest) -> str:
    """Say how many incidents stand how: 37 incidents need a person; 12 are resolved."""
    clauses: list[str] = []
    for told in shares(digest):
        count = told.share.incidents
        noun = "" if clauses else "incident " if count == 1 else "incidents "
        clauses.append(f"{count} {noun}{told.one if count == 1 else told.many}")
    return "; ".join(clauses)


def sentence(digest: Digest) -> str:
    """Tell the whole digest in one line: for a log, and for the preview on a phone."""
    parts = [f"{headline(digest)}."]
    for told in shares(digest):
        names = [*targets(told.share), *others(told.share)]
        parts.append(f"{told.title}: {'; '.join(counts(told.share))}; {', '.join(names)}.")
    return " ".join(" ".join([*parts, *singly(digest)]).split())


def counts(share: Share) -> tuple[str, str]:
    """Count by severity and by fault: ("2 critical, 35 warning", "30 × crashed, 7 × unhealthy")."""
    severities = ", ".join(f"{count} {severity}" for severity, count in share.severities.items())
    faults = ", ".join(f"{count} × {FAULTS[fault]}" for fault, count in share.faults.items())
    return severities, faults


def targets(share: Share) -> Sequence[str]:
    """Name the worst targets, a line each, with fault and severity."""
    return [f"{' '.join(one.target.split())} ({one.severity}, {FAULTS[one.fault]})" for one in share.worst]


def others(share: Share) -> Sequence[str]:
    """Say how many targets are not named, if any."""
    unnamed = share.targets - len(share.worst)
    return [f"and {unnamed} more {'target' if unnamed == 1 else 'targets'}"] if unnamed else []


def singly(digest: Digest) -> Sequence[str]:
    """Say how many incidents are not counted here, if any, because each was told by itself."""
    return [f"{digest.singly} more told one by one."] if digest.singly else []


def _masked(share: Share) -> Share:
    worst = tuple(one.model_copy(update={"target": mask(one.target)}) for one in share.worst)
    return share.model_copy(update={"worst": worst})
