"""Exact rounding: half up, from exact numbers only.

Belongs here: rounding of `Fraction`, `Decimal` and `int`. Does not: where a rule rounds; the rule says so.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction


def half_up(value: Fraction | Decimal | int, places: int) -> Decimal:
    """`value` to `places` decimals, half away from zero (14.45 to 14.5, -14.45 to -14.5)."""
    return half_up_ratio(*value.as_integer_ratio(), places)


def half_up_ratio(numerator: int, denominator: int, places: int) -> Decimal:
    """The same of `numerator` by a positive `denominator`, which need not be in lowest terms."""
    whole = (2 * abs(numerator) * 10**places + denominator) // (2 * denominator)  # whole numbers: no other is as fast
    return Decimal(whole if numerator >= 0 else -whole).scaleb(-places)
