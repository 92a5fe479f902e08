"""Arithmetic that fails instead of raising, and stays within 64 bits and finite floats."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Context, Decimal, DecimalException
from typing import Any

from toolc_runtime.budget import check_int
from toolc_runtime.errors import BudgetExceeded, Fail

_DECIMALS = Context(prec=34)
_DECIMAL: dict[str, Callable[[Decimal, Decimal], Decimal]] = {
    "+": _DECIMALS.add,
    "-": _DECIMALS.subtract,
    "*": _DECIMALS.multiply,
    "/": _DECIMALS.divide,
    "//": _DECIMALS.divide_int,
    "%": _DECIMALS.remainder,
    "**": _DECIMALS.power,
}
_PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def finite(value: Any) -> Any:
    """The number itself; BudgetExceeded for ints beyond 64 bits, Fail for NaN and infinities."""
    kind = type(value)
    if kind is int:
        return check_int(value)
    if kind is float and value - value != 0.0:
        raise Fail("the result is beyond the range of a float")
    return value


def _decimal(sign: str, a: Any, b: Any) -> Decimal:
    left, right = Decimal(a), Decimal(b)
    if sign in ("//", "%") and right:
        # Decimals truncate and Python's ints floor: the language floors.
        floor = _DECIMAL["/"](left, right).to_integral_value("ROUND_FLOOR")
        return floor if sign == "//" else _DECIMAL["-"](left, _DECIMAL["*"](floor, right))
    return _DECIMAL[sign](left, right)


def _operation(sign: str) -> Callable[[Any, Any], Any]:
    plain = _PLAIN[sign]
    divides = sign in ("/", "//", "%")

    def operate(a: Any, b: Any) -> Any:
        try:
            if type(a) is Decimal or type(b) is Decimal:
                return _bounded(_decimal(sign, a, b))
            return finite(plain(a, b))
        except (ZeroDivisionError, DecimalException) as error:
            zero = divides and not b
            raise Fail("division by zero" if zero else "the result is no number") from error
        except OverflowError:
            raise Fail(_beyond(a, b)) from None
        except ValueError:
            raise Fail("the result is no number") from None

    return operate


def _bounded(value: Decimal) -> Decimal:
    if abs(value.adjusted()) > 64:
        raise Fail("the result is beyond the range of a decimal")
    return value


def _beyond(a: Any, b: Any) -> str:
    if isinstance(a, (date, timedelta)) or isinstance(b, (date, timedelta)):
        return "the result is beyond the calendar"
    return "the result is beyond the range of a float"


def _shift(sign: str) -> Callable[[Any, Any], Any]:
    operate = _operation(sign)

    def shift(a: Any, b: Any) -> Any:
        if type(a) is date and isinstance(b, timedelta) and b % timedelta(days=1):
            raise Fail("a date moves by whole days only")
        return operate(a, b)

    return shift


add = _shift("+")
"""`a + b` of numbers, or of a date or duration and a duration."""
subtract = _shift("-")
"""`a - b` of numbers, dates and durations."""
multiply = _operation("*")
"""`a * b`, also of a duration and a number."""
divide = _operation("/")
"""`a / b`; Fail for zero."""
floor_divide = _operation("//")
"""`a // b`, rounded down; Fail for zero."""
modulo = _operation("%")
"""`a % b`, with the sign of `b`; Fail for zero."""


def power(a: Any, b: Any) -> Any:
    """`a ** b`; Fail where the result is complex, or zero is raised to a negative power."""
    if isinstance(a, Decimal) or isinstance(b, Decimal):
        try:
            return _bounded(_decimal("**", a, b))
        except DecimalException:
            raise Fail("the result is no number") from None
    if (
        type(a) is int
        and type(b) is int
        and b > 1
        and abs(a) > 1
        and b * (abs(a).bit_length() - 1) > 63
    ):
        raise BudgetExceeded("an integer may have at most 64 bits")
    try:
        if a == 0 and b < 0:
            raise Fail("zero cannot be raised to a negative power")
        if a < 0 and not float(b).is_integer():
            raise Fail("the result is a complex number")
        return finite(a**b)
    except OverflowError:
        raise Fail("the result is beyond the range of a float") from None


def real_function(name: str, function: Callable[[float], float]) -> Callable[[float], float]:
    """A function of `math` that fails outside its domain and range."""

    def call(number: float) -> float:
        try:
            return float(finite(function(number)))
        except (ValueError, OverflowError):
            raise Fail(f"{name}({number:g}) has no value") from None

    call.__name__ = call.__qualname__ = name
    call.__doc__ = f"`{name}` of a number; Fail where it has no value."
    return call


def whole(number: float | Decimal | int, rounding: Callable[[Any], int]) -> int:
    """A number rounded to an int; Fail where it has no nearest one within 64 bits."""
    if isinstance(number, float) and not math.isfinite(number):
        raise Fail("the number has no nearest integer")
    return check_int(rounding(number))
