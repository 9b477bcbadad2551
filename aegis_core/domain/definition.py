"""How a target is defined, and what has changed in that: the first suspect of many a fault."""

from collections.abc import Iterable

from .target import Limits, TargetState


def differences(old: TargetState, new: TargetState) -> Iterable[str]:
    """Tell in words what differs between two looks at targets of one name: image, environment names, limits."""
    if not old.image_id or not new.image_id:
        return  # one of the two was seen from afar only
    if old.image != new.image:
        yield f"image changed from {old.image} to {new.image}"
    elif old.image_id != new.image_id:
        yield f"image {new.image} is {'run in another way' if new.definition else 'another build'} than before"
    added, removed = set(new.env_keys) - set(old.env_keys), set(old.env_keys) - set(new.env_keys)
    if added:
        yield f"environment gained {', '.join(sorted(added))}"
    if removed:
        yield f"environment lost {', '.join(sorted(removed))}"
    if old.limits != new.limits:
        yield f"limits changed from {in_words(old.limits)} to {in_words(new.limits)}"
    if old.replicas != new.replicas:
        yield f"replicas changed from {old.replicas} to {new.replicas}"


def scale(state: TargetState) -> str:
    """Put in words how much of the host a target may have: its replicas where it has any, else its limits."""
    return in_words(state.limits) if state.replicas is None else f"{state.replicas} replicas"


def in_words(limits: Limits) -> str:
    """Put limits in words."""
    memory = f"{limits.memory_bytes // 2**20} MiB" if limits.memory_bytes else "no memory limit"
    return f"{memory}, {f'{limits.cpus:g} CPUs' if limits.cpus else 'no CPU limit'}"
