"""How the memory of real programs goes, as functions of the seconds since the start: share of the limit, 0 to 1.

Every shape is drawn at random within what such programs do, so that thousands differ from each other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import cos, exp, log1p, pi
from random import Random

from aegis_core.domain.target import Limits, TargetState, Usage
from tests.examples import later, state

LIMIT = 512 * 2**20
Course = Callable[[float], float]


@dataclass(frozen=True)
class Shape:
    """A course of memory; `noise` is the standard deviation of a sample, as a share of the limit."""

    at: Course
    noise: float
    seconds: float

    def killed_at(self) -> float | None:
        """The second at which the limit is reached."""
        steps = int(self.seconds * 10)
        return next((i / 10 for i in range(steps) if self.at(i / 10) >= 1.0), None)


def samples(shape: Shape, rng: Random, pace: float = 2.0) -> Iterator[Usage]:
    """Sample a shape until its end or until the kernel kills it; the pauses are those of a busy engine."""
    second, killed = rng.uniform(0, pace), shape.killed_at()
    while second < (shape.seconds if killed is None else killed):
        share = min(1.0, max(0.01, shape.at(second) + rng.gauss(0, shape.noise)))
        yield Usage(at=later(second), memory_bytes=int(share * LIMIT), memory_percent=share * 100)
        second += pace + rng.uniform(0, 0.2) * pace


def target() -> TargetState:
    return state(limits=Limits(memory_bytes=LIMIT))


# Not a leak


def steady(rng: Random) -> Shape:
    level = rng.uniform(0.05, 0.83)
    return Shape(lambda _: level, rng.choice([0, 0.001, 0.01, 0.03]), 400)


def sawtooth(rng: Random) -> Shape:
    """Garbage collection: period, height and floor differ; no two teeth are quite alike."""
    floor, period = rng.uniform(0.1, 0.5), 10 ** rng.uniform(1.2, 2.4)
    height = rng.uniform(0.1, 0.62 * (1 - floor))  # its first tooth looks like a leak up to two thirds of the way
    heights = [rng.uniform(0.75, 1.0) for _ in range(1000)]

    def at(second: float) -> float:
        tooth, part = divmod(second / period, 1)
        share = heights[int(tooth)]
        return floor + height * (part if part <= share else 0.0)

    return Shape(at, rng.choice([0, 0.001, 0.01]), max(400, 3 * period))


def steps(rng: Random) -> Shape:
    """A cache that is filled at one go, again and again."""
    floor, count = rng.uniform(0.05, 0.3), rng.randint(1, 5)
    height = rng.uniform(0.1, 0.8 - floor) / count
    begins = sorted(rng.uniform(5, 300) for _ in range(count))
    return Shape(lambda second: floor + height * sum(second > begin for begin in begins), rng.choice([0, 0.002]), 400)


def stairs(rng: Random) -> Shape:
    """The same in equal steps."""
    floor, count, width = rng.uniform(0.05, 0.3), rng.randint(2, 6), rng.uniform(15, 60)
    height = rng.uniform(0.1, 0.8 - floor) / count
    return Shape(lambda second: floor + height * min(count, second // width), rng.choice([0, 0.002]), 400)


def start_up(rng: Random) -> Shape:
    """Growth that gets slower and slower and ends below the limit."""
    floor, slow = rng.uniform(0.02, 0.2), 10 ** rng.uniform(0.3, 2)
    height = rng.uniform(0.2, 0.8 - floor)
    return Shape(lambda second: floor + height * (1 - exp(-second / slow)), rng.choice([0, 0.002, 0.01]), 400)


def warm_up(rng: Random) -> Shape:
    """A cache whose hits become more frequent: logarithmic growth."""
    floor, slow = rng.uniform(0.02, 0.2), 10 ** rng.uniform(0.3, 1.5)
    height = rng.uniform(0.2, 0.8 - floor) / log1p(400 / slow)
    return Shape(lambda second: floor + height * log1p(second / slow), rng.choice([0, 0.002, 0.01]), 400)


def load(rng: Random) -> Shape:
    """Even growth up to a plateau: a model or an index is loaded. What is quick about it stays below 60 %."""
    floor, took = rng.uniform(0.02, 0.1), 10 ** rng.uniform(0, 2)
    height = rng.uniform(0.2, 0.58) - floor if took < 20 else rng.uniform(0.2, 0.6) * (1 - floor)
    return Shape(lambda second: floor + height * min(1.0, second / took), rng.choice([0, 0.002]), 200)


def waves(rng: Random) -> Shape:
    """Load that comes and goes; a first wave up to here would look like a leak, so it begins by going."""
    level, period, height = rng.uniform(0.3, 0.5), 10 ** rng.uniform(1.3, 2.5), rng.uniform(0.05, 0.3)
    noise = rng.choice([0.001, 0.01])
    return Shape(lambda second: level + height * cos(2 * pi * second / period), noise, 3 * period)


def walk(rng: Random) -> Shape:
    """Work of random size comes and goes; it stays below 83 % of the limit."""
    step = 10 ** rng.uniform(-3, -1.5)
    course = [rng.uniform(0.1, 0.7)]
    for _ in range(400):
        course.append(min(0.83, max(0.05, course[-1] + rng.gauss(0, step))))
    return Shape(lambda second: course[min(400, int(second))], 0.0, 400)


def released(rng: Random) -> Shape:
    """A job that needs much and gives it back late."""
    floor, took, held = rng.uniform(0.1, 0.3), rng.uniform(20, 100), rng.uniform(0, 60)
    top = floor + 0.6 * (1 - floor)

    def at(second: float) -> float:
        if second < took:
            return floor + (top - floor) * second / took
        return top if second < took + held else floor

    return Shape(at, rng.choice([0, 0.005]), 400)


def tall_teeth(rng: Random) -> Shape:
    """A sawtooth up to nearly the limit, seen from the last seconds of a tooth on."""
    floor, top, period = rng.uniform(0.1, 0.4), rng.uniform(0.75, 0.95), 10 ** rng.uniform(1.2, 2.4)
    heights = [rng.uniform(0.8, 1.0) for _ in range(1000)]

    def at(second: float) -> float:
        tooth, part = divmod((second - 5) / period + heights[0], 1)
        return floor + (top - floor) * (part if part <= heights[int(tooth)] else 0.0)

    return Shape(at, rng.choice([0, 0.001, 0.01]), max(400, 3 * period))


HARMLESS: Sequence[Callable[[Random], Shape]] = (
    steady, sawtooth, steps, stairs, start_up, warm_up, load, waves, tall_teeth, released,
)  # fmt: skip


# Leaks


def linear(rng: Random, seconds: float, quiet: float = 0.0, noise: float = 0.002) -> Shape:
    """A leak that takes `seconds` to the limit, after a quiet time."""
    floor = rng.uniform(0.05, 0.4)
    return Shape(lambda second: floor + max(0.0, second - quiet) / seconds * (1 - floor), noise, quiet + seconds * 1.1)


def exponential(rng: Random, seconds: float) -> Shape:
    floor, begin = rng.uniform(0.05, 0.3), rng.uniform(0.02, 0.1)
    growth = log1p((1 - floor - begin) / begin) / seconds
    return Shape(lambda second: floor + begin * exp(growth * second), 0.002, seconds * 1.1)


def rising_floor(rng: Random, seconds: float) -> Shape:
    """Garbage is collected, and every time less of it is got back: a leak with teeth."""
    floor, height, teeth = rng.uniform(0.1, 0.2), rng.uniform(0.1, 0.2), rng.randint(10, 20)
    period = seconds / teeth

    def at(second: float) -> float:
        return floor + (1 - floor - height) * second / seconds + height * (second / period % 1)

    return Shape(at, 0.002, seconds * 1.1)
