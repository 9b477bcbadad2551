"""The Beta distribution: its cumulative probability and its quantiles, with nothing but the standard library."""

from math import exp, lgamma, log, log1p
from typing import Final

_MOST_TERMS: Final = 500
_ENOUGH: Final = 1e-14  # relative change at which the continued fraction has converged
_TINY: Final = 1e-300
_HALVINGS: Final = 60  # the interval is then smaller than a double can tell


def cumulative(x: float, a: float, b: float) -> float:
    """Return P(X <= x) for X ~ Beta(a, b), a and b above 0: the regularised incomplete beta function I_x(a, b).

    Continued fraction of DLMF 8.17.22, evaluated by Lentz's method; the symmetry I_x(a, b) = 1 - I_(1-x)(b, a)
    (DLMF 8.17.4) keeps it where it converges fast.
    """
    if x <= 0:
        return 0.0
    if x >= 1:
        return 1.0
    if x > (a + 1) / (a + b + 2):
        return 1.0 - cumulative(1 - x, b, a)
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)) / a
    return front * _fraction(x, a, b)


def quantile(probability: float, a: float, b: float) -> float:
    """Return the x below which Beta(a, b) lies with this probability (0 to 1), by bisection to the last digits."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if cumulative(middle, a, b) < probability:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _not_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _MOST_TERMS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _not_zero(1 + term * d)
            c = _not_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < _ENOUGH:
            break
    return value


def _not_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
