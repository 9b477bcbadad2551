"""Records what Aegis sees of containers that are broken for real, as cases to measure a change of rules by.

    python -m tests.evals.record [NAME ...]

All of them, or those named. Needs a Docker engine and about a minute. A case has the form that `aegis eval` reads, its
log masked as it was stored; under `gathered` stands all that was gathered, which `tests.evals.replay` asks about.
"""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.acceptance.broken_for_real import BROKEN, Broken
from tests.acceptance.broken_ward import Seen, broken_ward

from .replay import RECORDED

ID = re.compile(r"\b[0-9a-f]{64}\b")
NO_ID = "0" * 64


def case(one: Broken, seen: Seen) -> dict[str, Any]:
    """Write a case down: what was seen, without this run's own names and ids, and what is right."""
    evidence = lasting(one, seen)
    return {
        "id": one.name,
        "container": one.name,
        "log": "\n".join(evidence["tail"]),
        "metrics": evidence["metrics"],
        "label": one.category,
        "sensible_action": one.action,
        "also_acceptable": list(one.also),
        "label_certainty": "high",
        "action_basis": one.why,
        "gathered": evidence,
    }


def lasting(one: Broken, seen: Seen) -> dict[str, Any]:
    """The evidence with names, ports and ids that mean the same in the next recording."""
    target = seen.evidence["target"]
    ids = {target["ref"]["id"]: NO_ID, target["ref"]["id"][:12]: NO_ID[:12]}
    text = json.dumps(seen.evidence)
    for passing, plain in {**seen.passing, **ids, seen.evidence["name"]: one.name}.items():
        text = text.replace(passing, plain)
    return dict(json.loads(ID.sub(NO_ID, text)))


def record(broken: Sequence[Broken]) -> int:
    """Break these, write a file for each, and tell what the rules said. Returns how many they did not get."""
    RECORDED.mkdir(exist_ok=True)
    wrong = 0
    with TemporaryDirectory() as data, broken_ward(broken, Path(data)) as ward:
        for one in broken:
            seen = ward.seen(one)
            (RECORDED / f"{one.name}.json").write_text(json.dumps(case(one, seen), indent=1, ensure_ascii=False) + "\n")
            said = (seen.diagnosis["category"], seen.diagnosis["action"], seen.diagnosis["confidence"])
            right = said[:2] == (one.category, one.action)
            wrong += not right
            print(f"{one.name:24} {one.fault:16} {said[0]:24} {said[1]:9} {said[2]:.2f} {'' if right else 'WRONG'}")
    return wrong


if __name__ == "__main__":
    sys.exit(record([one for one in BROKEN if one.name in sys.argv[1:] or not sys.argv[1:]]) > 0)
