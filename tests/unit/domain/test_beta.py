"""The Beta distribution against closed forms, identities and tabulated values."""

from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aegis_core.domain.beta import cumulative, quantile

SHARES = st.floats(0.001, 0.999)
SHAPES = st.floats(0.5, 500)


@given(SHARES, SHAPES)
def test_with_one_parameter_at_one_it_is_a_power(x: float, a: float) -> None:
    assert isclose(cumulative(x, a, 1), x**a, rel_tol=1e-9, abs_tol=1e-300)
    assert isclose(cumulative(x, 1, a), 1 - (1 - x) ** a, rel_tol=1e-9)


@given(SHARES, st.integers(1, 60), st.integers(1, 60))
def test_whole_parameters_count_coin_tosses(x: float, a: int, b: int) -> None:
    tosses = a + b - 1  # I_x(a, b) = P(Binomial(a + b - 1, x) >= a), DLMF 8.17.5
    tail = sum(comb(tosses, k) * x**k * (1 - x) ** (tosses - k) for k in range(a, tosses + 1))
    assert isclose(cumulative(x, a, b), tail, rel_tol=1e-9, abs_tol=1e-12)


@given(SHARES, SHAPES, SHAPES)
def test_it_is_symmetric(x: float, a: float, b: float) -> None:
    assert isclose(cumulative(x, a, b) + cumulative(1 - x, b, a), 1, abs_tol=1e-9)


@given(SHARES, SHAPES, SHAPES)
def test_a_quantile_is_where_the_probability_is_reached(probability: float, a: float, b: float) -> None:
    assert isclose(cumulative(quantile(probability, a, b), a, b), probability, rel_tol=1e-6, abs_tol=1e-9)


@pytest.mark.parametrize(
    ("probability", "a", "b", "expected"),
    [  # 1/sqrt(F) of the F table: x = a / (a + b F), F at (2b, 2a) degrees of freedom; and what is closed
        (0.05, 4, 1, 0.05**0.25),
        (0.25, 4, 1, 0.25**0.25),
        (0.95, 1, 9, 1 - 0.05 ** (1 / 9)),
        (0.5, 7, 7, 0.5),
        (0.05, 2, 2, 0.13535),
        (0.05, 10, 2, 0.63564),
        (0.95, 5, 5, 0.74863),
    ],
)
def test_quantiles_are_those_of_the_tables(probability: float, a: float, b: float, expected: float) -> None:
    assert quantile(probability, a, b) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(("x", "expected"), [(-1, 0), (0, 0), (1, 1), (2, 1)])
def test_outside_of_its_range_nothing_or_everything_lies_below(x: float, expected: float) -> None:
    assert cumulative(x, 2, 3) == expected
