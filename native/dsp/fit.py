"""Print the coefficients of math.hpp: Chebyshev interpolation in 60 digits, lowest degree first."""

from collections.abc import Callable
from typing import Any, TypeAlias

import mpmath as mp

mp.mp.dps = 60
Real: TypeAlias = Any  # mpmath.mpf, which has no types


def nodes(low: Real, high: Real, count: int) -> list[Real]:
    """Chebyshev nodes of [low, high]."""
    middle, half = (low + high) / 2, (high - low) / 2
    return [middle + half * mp.cos(mp.pi * (2 * k + 1) / (2 * count)) for k in range(count)]


def polynomial(f: Callable[[Real], Real], low: Real, high: Real, count: int) -> list[Real]:
    """Coefficients, constant first, of the interpolant of f with `count` terms."""
    x = nodes(low, high, count)
    a = mp.matrix([[p**k for k in range(count)] for p in x])
    return list(mp.lu_solve(a, mp.matrix([f(p) for p in x])))


def rational(f: Callable[[Real], Real], high: Real, degree: int) -> tuple[list[Real], list[Real]]:
    """Numerator and denominator (constant 1), both of `degree`, interpolating f on [0, high]."""
    x = nodes(mp.mpf(0), high, 2 * degree + 1)
    rows = [[p**k for k in range(degree + 1)] + [-f(p) * p**k for k in range(1, degree + 1)] for p in x]
    solution = list(mp.lu_solve(mp.matrix(rows), mp.matrix([f(p) for p in x])))
    return solution[: degree + 1], [mp.mpf(1), *solution[degree + 1 :]]


def series(terms: int, first: int) -> Callable[[Real], Real]:
    """Tail of atanh(s) / s from the term s^(2 first) on, divided by s^(2 first), as a function of s^2."""
    return lambda z: mp.fsum(z**k / (2 * (k + first) + 1) for k in range(terms))


def show(name: str, coefficients: list[Real]) -> None:
    """Print one line of hexadecimal doubles."""
    print(f"{name}: " + ", ".join(float(c).hex() for c in coefficients))


def main() -> None:
    """Print every table of math.hpp."""
    half_ln2 = mp.log(2) / 2 * mp.mpf("1.0001")
    atanh_end = mp.mpf("0.1716") ** 2
    show(
        "sin_small",
        polynomial(lambda z: (mp.sin(mp.sqrt(z)) / mp.sqrt(z) - 1) / z, mp.mpf(0), (mp.pi / 2) ** 2, 8),
    )
    numerator, denominator = rational(lambda z: mp.tan(mp.pi * mp.sqrt(z)) / mp.sqrt(z), mp.mpf("0.0625"), 3)
    show("tanpi numerator", [c / numerator[0] for c in numerator])
    show("tanpi denominator", [c / numerator[0] for c in denominator])
    show("tanpi denominator, rest of the constant", [1 / numerator[0] - mp.mpf(float(1 / numerator[0]))])
    show("exp_tail", polynomial(lambda r: (mp.expm1(r) - r) / r**2, -half_ln2, half_ln2, 10))
    show(
        "exp2m1_small",
        polynomial(lambda r: mp.expm1(r * mp.log(2)) / r, -mp.mpf("0.50001"), mp.mpf("0.50001"), 11),
    )
    show("log_terms", [2 * c for c in polynomial(series(40, 1), mp.mpf(0), atanh_end, 7)])
    show("log2_pair", [3 * c for c in polynomial(series(40, 2), mp.mpf(0), atanh_end, 8)])


if __name__ == "__main__":
    main()
