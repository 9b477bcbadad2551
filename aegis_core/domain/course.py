"""A series of samples in words: what it did, not every figure of it."""

from collections.abc import Iterable, Sequence

from .target import Usage

LEAST_CHANGE = 10.0  # points of percent below which a series counts as steady


def course_of(series: Sequence[Usage]) -> Iterable[str]:
    """Tell how memory and CPU went, each in one line; nothing where there are fewer than three samples."""
    for name, measure in (("memory", "memory_percent"), ("CPU", "cpu_percent")):
        points = [(one.at, value) for one in series if (value := getattr(one, measure)) is not None]
        if len(points) < 3:  # noqa: PLR2004 - two points are no course
            continue
        values = [value for _, value in points]
        seconds = (points[-1][0] - points[0][0]).total_seconds()
        span = f"within {seconds:.0f} s"
        if max(values) - min(values) < LEAST_CHANGE:
            yield f"{name} was steady at about {sum(values) / len(values):.0f} % {span}"
        else:
            extremes = f"lowest {min(values):.0f}, highest {max(values):.0f} %"
            yield f"{name} went from {values[0]:.0f} % to {values[-1]:.0f} % {span} ({extremes})"
