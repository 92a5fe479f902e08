"""Built-ins on numbers."""

from __future__ import annotations

import builtins
import math
from collections.abc import Sequence
from decimal import Decimal
from functools import reduce
from typing import Any

from toolc_runtime.arithmetic import add, finite, real_function, whole
from toolc_runtime.budget import charge, check_int
from toolc_runtime.errors import Fail, Malformed
from toolc_runtime.values import parse_decimal, quote

sqrt = real_function("sqrt", math.sqrt)
log = real_function("log", math.log)
exp = real_function("exp", math.exp)
sin = real_function("sin", math.sin)
cos = real_function("cos", math.cos)
tan = real_function("tan", math.tan)
radians = real_function("radians", math.radians)

_EARTH_RADIUS = 6371.0088  # km, mean


def abs(number: Any) -> Any:
    """The absolute value."""
    return finite(builtins.abs(number))


def round(number: Any, digits: int | None = None) -> Any:
    """The nearest number of that many decimals, ties to even; an int without `digits`."""
    if digits is None:
        return whole(number, builtins.round)
    if not -400 <= digits <= 400:
        raise Fail(f"cannot round to {digits} digits")
    try:
        return finite(builtins.round(number, digits))
    except (OverflowError, ArithmeticError):
        raise Fail(f"cannot round to {digits} digits") from None


def floor(number: float) -> int:
    """The next int below."""
    return whole(number, math.floor)


def ceil(number: float) -> int:
    """The next int above."""
    return whole(number, math.ceil)


def _extreme(name: str, values: tuple[Any, ...]) -> Any:
    items = values[0] if len(values) == 1 else values
    if not items:
        raise Fail(f"{name} of an empty list")
    charge(len(items))
    try:
        return (builtins.min if name == "min" else builtins.max)(items)
    except TypeError:
        raise Fail(f"{name} of values that have no order") from None


def smallest(*values: Any) -> Any:
    """The smallest item of one list, or of the values; Fail for none."""
    return _extreme("min", values)


def largest(*values: Any) -> Any:
    """The largest item of one list, or of the values; Fail for none."""
    return _extreme("max", values)


def total(items: Sequence[Any]) -> Any:
    """The sum, from left to right, without compensation; 0 for none."""
    charge(len(items))
    kinds = set(map(type, items))
    result: Any = 0
    if kinds <= {int}:
        return check_int(sum(items))
    if kinds <= {int, float}:
        for item in items:
            result += item
        return finite(result)
    return reduce(add, items, result)


def to_int(value: float | str | Decimal) -> int:
    """A number cut to an int, or a text of digits read as one."""
    if not isinstance(value, str):
        return whole(value, int)
    text = value.strip()
    digits = text[1:] if text[:1] in ("-", "+") else text
    if digits.isascii() and digits.isdigit() and len(digits) <= 400:
        return check_int(int(text))
    raise Fail(f"{quote(value)} is not an integer")


def to_float(value: int | Decimal | str) -> float:
    """As a float; Fail for a text that is not a finite number."""
    try:
        if isinstance(value, str) and ("_" in value or not value.isascii() or len(value) > 400):
            raise ValueError
        return float(finite(float(value)))
    except (ValueError, OverflowError):
        raise Fail(f"{quote(value) if isinstance(value, str) else value} is not a number") from None


def to_decimal(value: int | str) -> Decimal:
    """As a decimal; Fail for a text that is none."""
    if not isinstance(value, str):
        return Decimal(value)
    try:
        return parse_decimal(value)
    except Malformed as error:
        raise Fail(str(error)) from None


def haversine(
    latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float
) -> float:
    """Great-circle distance in kilometres on a sphere of 6371.0088 km; points in degrees."""
    if not (builtins.abs(latitude_a) <= 90 and builtins.abs(latitude_b) <= 90):
        raise Fail("a latitude is from -90 to 90 degrees")
    a, b = math.radians(latitude_a), math.radians(latitude_b)
    across = math.radians(longitude_b - longitude_a)
    chord = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(across / 2) ** 2
    return 2 * _EARTH_RADIUS * math.asin(min(1.0, math.sqrt(chord)))
