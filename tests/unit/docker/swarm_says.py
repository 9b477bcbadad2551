"""What an engine says of services and tasks, in its own shape."""

from datetime import UTC, datetime, timedelta
from typing import Any

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SERVICE = "z01jue354rm7285q4oc3v39el"
NODE = "u5fjtsvj7sde7iy24s9c9elo5"


def at(seconds: float) -> str:
    """A moment so many seconds after noon, in nanoseconds as Swarm writes it."""
    return f"{NOON + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S.%f}000Z"


def spec(image: str = "shop:1", replicas: int | None = 1, forced: int = 0, **known: Any) -> dict[str, Any]:
    """A spec; `known` are more fields of the TaskTemplate, `labels` those of the service."""
    labels = known.pop("labels", {"aegis.enable": "true"})
    container = {"Image": image, "Env": ["TOKEN=x"], "StopGracePeriod": 2_000_000_000, **known.pop("container", {})}
    return {
        "Name": "shop",
        "Labels": labels,
        "TaskTemplate": {
            "ContainerSpec": container,
            "Resources": {"Limits": {"NanoCPUs": 500_000_000, "MemoryBytes": 64 * 2**20}},
            "RestartPolicy": {"Condition": known.pop("condition", "any")},
            "ForceUpdate": forced,
            "Runtime": "container",
            **known,
        },
        "Mode": {"Global": {}} if replicas is None else {"Replicated": {"Replicas": replicas}},
        "UpdateConfig": {"Parallelism": 1, "Monitor": 1_000_000_000},
    }


def service(now: dict[str, Any] | None = None, update: str = "", begun: float = 0.0, **known: Any) -> dict[str, Any]:
    """A service that was made a minute before noon; `update` is how its last one stands, which began at `begun`."""
    status = (
        {"UpdateStatus": {"State": update, "StartedAt": at(begun), "Message": f"update {update}"}} if update else {}
    )
    made = {"ID": SERVICE, "Version": {"Index": 11}, "CreatedAt": at(-60), "UpdatedAt": at(-60), "Spec": now or spec()}
    return {**made, **status, **known}


def task(
    state: str = "running", since: float = 0.0, *, of: dict[str, Any] | None = None, **known: Any
) -> dict[str, Any]:
    """A task in this state since so many seconds after noon; it was made a second before."""
    of = of or spec()
    slot, number = known.pop("slot", 1), known.pop("number", 1)
    ended = state in {"failed", "rejected", "complete", "shutdown"}
    status: dict[str, Any] = {"Timestamp": at(since), "State": state}
    if state not in {"pending", "rejected", "ready"}:
        status["ContainerStatus"] = {"ContainerID": f"container-{number}", "ExitCode": known.pop("code", 0)}
    if "error" in known:
        status["Err"] = known.pop("error")
    return {
        "ID": f"task-{number}",
        "CreatedAt": at(known.pop("made", since - 1)),
        "Spec": {key: value for key, value in of["TaskTemplate"].items() if key != "Runtime"},
        "ServiceID": SERVICE,
        "Slot": slot,
        "NodeID": NODE,
        "Status": status,
        "DesiredState": known.pop("desired", "shutdown" if ended else "running"),
        **known,
    }
