"""The value of an arithmetic text, without `eval`: Python's grammar of numbers and operators.

Integers stay exact, within 64 bits, until `/` or a decimal literal makes a float.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from toolc_runtime import arithmetic
from toolc_runtime.budget import charge, check_int
from toolc_runtime.errors import Fail

Number = int | float

_CHARACTERS = frozenset("0123456789+-*/%(). ")
_TOKEN = re.compile(r" *(?:(?P<number>[0-9]+\.?[0-9]*|\.[0-9]+)|(?P<sign>\*\*|//|[-+*/%()]))")
_MAX_DEPTH = 100
_SYNTAX = "invalid syntax (<string>, line 1)"


def calculate(expression: str) -> float:
    """The value, as a float; Fail for what is no arithmetic and for what has no value."""
    value = evaluate(expression)
    try:
        return float(value)
    except OverflowError:
        raise Fail("the result is beyond the range of a float") from None


def calculation_error(expression: str) -> str | None:
    """Why `calculate` fails; None where it has a value."""
    try:
        calculate(expression)
    except Fail as failure:
        return str(failure.value)
    return None


def evaluate(expression: str) -> Number:
    """The value, an int where it is exact; Fail as `calculate`."""
    charge(len(expression))
    if not _CHARACTERS.issuperset(expression):
        raise Fail("invalid characters in expression")
    _check_parentheses(expression)
    tokens = _tokens(expression)
    if not tokens:
        raise Fail("invalid syntax (<string>, line 0)")
    parser = _Parser(tokens)
    value = parser.sum()
    if parser.at != len(tokens):
        raise Fail(_SYNTAX)
    return value


def _check_parentheses(expression: str) -> None:
    depth = 0
    for char in expression:
        depth += (char == "(") - (char == ")")
        if depth < 0:
            raise Fail("unmatched ')' (<string>, line 1)")
        if depth > _MAX_DEPTH:
            raise Fail("too many nested parentheses (<string>, line 1)")
    if depth:
        raise Fail("'(' was never closed (<string>, line 1)")


def _tokens(expression: str) -> list[Number | str]:
    text = expression.rstrip(" ")
    tokens: list[Number | str] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise Fail(_SYNTAX)
        number = found["number"]
        tokens.append(found["sign"] if number is None else _number(number))
        at = found.end()
    return tokens


def _number(text: str) -> Number:
    if "." in text:
        value: Number = arithmetic.finite(float(text))
        return value
    if len(text) > 1 and text[0] == "0" and text.strip("0"):
        raise Fail("leading zeros in decimal integer literals are not permitted (<string>, line 1)")
    return check_int(int(text) if len(text) <= 20 else 2**64)


def _zero(whole: str, real: str) -> Callable[[Number, Number], str | None]:
    def message(a: Number, b: Number) -> str | None:
        if b:
            return None
        return whole if type(a) is int and type(b) is int else real

    return message


_ZERO: dict[str, Callable[[Number, Number], str | None]] = {
    "/": _zero("division by zero", "float division by zero"),
    "//": _zero("integer division or modulo by zero", "float floor division by zero"),
    "%": _zero("integer division or modulo by zero", "float modulo"),
}
_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "+": arithmetic.add,
    "-": arithmetic.subtract,
    "*": arithmetic.multiply,
    "/": arithmetic.divide,
    "//": arithmetic.floor_divide,
    "%": arithmetic.modulo,
}


class _Parser:
    def __init__(self, tokens: list[Number | str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    def peek(self) -> Number | str | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def sum(self) -> Number:
        value = self.product()
        while (sign := self.peek()) in ("+", "-"):
            self.at += 1
            value = _OPERATORS[str(sign)](value, self.product())
        return value

    def product(self) -> Number:
        value = self.unary()
        while (sign := self.peek()) in _ZERO or sign == "*":
            self.at += 1
            right = self.unary()
            problem = _ZERO[str(sign)](value, right) if sign in _ZERO else None
            if problem is not None:
                raise Fail(problem)
            value = _OPERATORS[str(sign)](value, right)
        return value

    def unary(self) -> Number:
        negative = False
        while (sign := self.peek()) in ("+", "-"):
            self.at += 1
            negative ^= sign == "-"
        value = self.power()
        return -value if negative else value

    def power(self) -> Number:
        value = self.atom()
        if self.peek() != "**":
            return value
        self.at += 1
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise Fail("too many nested powers (<string>, line 1)")
        exponent = self.unary()
        self.depth -= 1
        if value == 0 and exponent < 0:
            raise Fail("0.0 cannot be raised to a negative power")
        result: Number = arithmetic.power(value, exponent)
        return result

    def atom(self) -> Number:
        token = self.peek()
        self.at += 1
        if isinstance(token, (int, float)):
            return token
        if token != "(":
            raise Fail(_SYNTAX)
        value = self.sum()
        if self.peek() != ")":
            raise Fail(_SYNTAX)
        self.at += 1
        return value
