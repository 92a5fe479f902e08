"""Every built-in function: signature, meaning, example, and the Python that stands for it.

A signature is written as the reference shows it, with type variables `T K V`, `N` for one
number type throughout, and `table`, `text` where those are meant; several are overloads, tried in
order. The reference, the guide, the checks and the tests are made from this registry.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from toolc.analysis import types as t
from toolc.analysis.types import Type


class Builtin(NamedTuple):
    """`python` is a name of `toolc_runtime.builtins`, which takes the arguments in this order,
    after the state where `state` is set. `partial`: may fail with a standard message."""

    name: str
    signatures: tuple[str, ...]
    meaning: str
    example: str  # an expression that is true
    python: str
    partial: bool = False
    state: bool = False


class Parameter(NamedTuple):
    name: str
    type: Type
    optional: bool


class Signature(NamedTuple):
    parameters: tuple[Parameter, ...]
    result: Type


class Variable(Type):
    """A type variable of a signature; `N` stands for number types alone, `O` for types with an
    order, `C` for the comparable scalars that may be a dict's key, `R` for open records."""

    name: str


def _builtin(
    name: str,
    signature: str | tuple[str, ...],
    meaning: str,
    example: str,
    *,
    python: str = "",
    partial: bool = False,
    state: bool = False,
) -> Builtin:
    signatures = (signature,) if isinstance(signature, str) else signature
    return Builtin(name, signatures, meaning, example, python or name, partial, state)


FAMILIES: dict[str, tuple[Builtin, ...]] = {
    "text": (
        _builtin("lower", "(text: str) -> str", "The text in lower case.", 'lower("Ab") == "ab"'),
        _builtin("upper", "(text: str) -> str", "The text in upper case.", 'upper("Ab") == "AB"'),
        _builtin(
            "title",
            "(text: str) -> str",
            "Each word with a capital.",
            'title("new york") == "New York"',
        ),
        _builtin(
            "strip",
            "(text: str) -> str",
            "Without white space at both ends.",
            'strip("  a ") == "a"',
        ),
        _builtin(
            "split",
            ("(text: str) -> list[str]", "(text: str, separator: str) -> list[str]"),
            "The parts between separators; without one, the words between white space.",
            'split("a,b", ",") == ["a", "b"]',
            partial=True,
        ),
        _builtin(
            "join",
            "(parts: list[str], separator: str) -> str",
            "The parts in one text, a separator between them.",
            'join(["a", "b"], ", ") == "a, b"',
        ),
        _builtin(
            "replace",
            "(text: str, old: str, new: str) -> str",
            "Every `old` replaced by `new`.",
            'replace("a-b", "-", "+") == "a+b"',
        ),
        _builtin(
            "starts_with",
            "(text: str, prefix: str) -> bool",
            "Whether it begins so.",
            'starts_with("abc", "ab")',
        ),
        _builtin(
            "ends_with",
            "(text: str, suffix: str) -> bool",
            "Whether it ends so.",
            'ends_with("abc", "bc")',
        ),
        _builtin(
            "find",
            "(text: str, part: str) -> int?",
            "Where the part first occurs, from 0; null if it does not.",
            'find("abc", "c") == 2',
        ),
        _builtin(
            "pad",
            ("(text: str, width: int) -> str", "(text: str, width: int, fill: str) -> str"),
            "Filled up on the left to a width, with blanks or the given character.",
            'pad("7", 3, "0") == "007"',
            partial=True,
        ),
        _builtin(
            "matches",
            "(text: str, pattern: str) -> bool",
            "Whether the pattern (RE2's subset, linear time) is found in the text.",
            'matches("#W12", "^#W[0-9]+$")',
            partial=True,
        ),
        _builtin(
            "similarity",
            "(a: str, b: str) -> float",
            "How alike two texts are, 0 to 1: twice the length of their longest common subsequence "
            "over the sum of their lengths.",
            'similarity("abc", "abd") > 0.6',
        ),
        _builtin(
            "to_json",
            "(value: T) -> str",
            "Canonical JSON text.",
            'to_json([1]) == "[1]"',
            partial=True,
        ),
        _builtin(
            "parse_json",
            ("(text: str) -> json", "(text: str, type: T) -> T"),
            "The value of a JSON text: any, or one of a type, such as `Order` or `list[Order]`, "
            "held to its facets and with its defaults filled in.",
            'parse_json("[1, 2]", list[int]) == [1, 2]',
            partial=True,
        ),
        _builtin("is_json", "(text: str) -> bool", "Whether it is JSON.", 'is_json("[1]")'),
    ),
    "numbers": (
        _builtin("abs", "(number: N) -> N", "The absolute value.", "abs(-2) == 2"),
        _builtin(
            "round",
            ("(number: int) -> int", "(number: float) -> int", "(number: N, digits: int) -> N"),
            "The nearest number of that many decimals, ties to even; without `digits`, an int.",
            "round(2.675, 2) == 2.67",
            partial=True,
        ),
        _builtin(
            "floor",
            "(number: float) -> int",
            "The next int below.",
            "floor(-1.5) == -2",
            partial=True,
        ),
        _builtin(
            "ceil", "(number: float) -> int", "The next int above.", "ceil(1.2) == 2", partial=True
        ),
        _builtin(
            "sqrt", "(number: float) -> float", "The square root.", "sqrt(9) == 3.0", partial=True
        ),
        _builtin(
            "log",
            "(number: float) -> float",
            "The natural logarithm.",
            "log(1) == 0.0",
            partial=True,
        ),
        _builtin(
            "exp", "(number: float) -> float", "e to that power.", "exp(0) == 1.0", partial=True
        ),
        _builtin("sin", "(radians: float) -> float", "The sine.", "sin(0) == 0.0", partial=True),
        _builtin("cos", "(radians: float) -> float", "The cosine.", "cos(0) == 1.0", partial=True),
        _builtin("tan", "(radians: float) -> float", "The tangent.", "tan(0) == 0.0", partial=True),
        _builtin(
            "radians", "(degrees: float) -> float", "Degrees as radians.", "radians(180) > 3.14"
        ),
        _builtin(
            "min",
            ("(items: list[O]) -> O", "(a: O, b: O) -> O"),
            "The smallest; of an empty list a failure.",
            "min([2, 1]) == 1",
            python="smallest",
            partial=True,
        ),
        _builtin(
            "max",
            ("(items: list[O]) -> O", "(a: O, b: O) -> O"),
            "The largest; of an empty list a failure.",
            "max([2, 1]) == 2",
            python="largest",
            partial=True,
        ),
        _builtin(
            "sum",
            "(items: list[N]) -> N",
            "The sum, from left to right; 0 for none.",
            "sum([1, 2]) == 3",
            python="total",
            partial=True,
        ),
        _builtin(
            "int",
            ("(number: float) -> int", "(text: str) -> int"),
            "A number cut to an int, or a text of digits read as one.",
            'int("12") == 12',
            python="to_int",
            partial=True,
        ),
        _builtin(
            "float",
            ("(number: int) -> float", "(number: decimal) -> float", "(text: str) -> float"),
            "As a float.",
            'float("1.5") == 1.5',
            python="to_float",
            partial=True,
        ),
        _builtin(
            "decimal",
            ("(number: int) -> decimal", "(text: str) -> decimal"),
            "As a decimal.",
            'decimal("0.10") + decimal("0.20") == decimal("0.30")',
            python="to_decimal",
            partial=True,
        ),
        _builtin(
            "str",
            "(value: T) -> str",
            "As it would stand in an interpolated text.",
            'str(3) == "3"',
            python="text",
        ),
        _builtin(
            "calculate",
            "(expression: str) -> float",
            "The value of an arithmetic text of numbers, `+ - * / // % **` and parentheses.",
            'calculate("2 * (3 + 4)") == 14.0',
            partial=True,
        ),
        _builtin(
            "calculation_error",
            "(expression: str) -> str?",
            "What is wrong with such a text; null where `calculate` has a value.",
            'calculation_error("1 / 0") == "division by zero"',
        ),
    ),
    "lists and dicts": (
        _builtin(
            "len",
            (
                "(items: list[T]) -> int",
                "(items: dict[K, V]) -> int",
                "(text: str) -> int",
                "(rows: table) -> int",
            ),
            "How many members, entries, characters or rows.",
            "len([1, 2]) == 2",
            python="len",
        ),
        _builtin(
            "any",
            "(items: list[bool]) -> bool",
            "Whether one is true.",
            "any([false, true])",
            python="any",
        ),
        _builtin(
            "all",
            "(items: list[bool]) -> bool",
            "Whether none is false.",
            "all([true])",
            python="all",
        ),
        _builtin(
            "count", "(items: list[T]) -> int", "How many.", "count([1, 2]) == 2", python="len"
        ),
        _builtin(
            "first",
            "(items: list[T]) -> T",
            "The first member.",
            "first([1, 2]) == 1",
            partial=True,
        ),
        _builtin(
            "last", "(items: list[T]) -> T", "The last member.", "last([1, 2]) == 2", partial=True
        ),
        _builtin(
            "sorted",
            "(items: list[O]) -> list[O]",
            "In ascending order.",
            "sorted([2, 1]) == [1, 2]",
            python="sorted",
        ),
        _builtin(
            "reversed",
            ("(items: list[T]) -> list[T]", "(text: str) -> str"),
            "The other way round.",
            "reversed([1, 2]) == [2, 1]",
            python="reverse",
        ),
        _builtin(
            "unique",
            "(items: list[T]) -> list[T]",
            "Each value once, where it first stood.",
            "unique([1, 2, 1]) == [1, 2]",
        ),
        _builtin(
            "zip",
            "(a: list[T], b: list[U]) -> list[(T, U)]",
            "Pairs, as long as the shorter list.",
            "[x + y for x, y in zip([1, 2], [3, 4])] == [4, 6]",
            python="pairs",
        ),
        _builtin(
            "enumerate",
            "(items: list[T]) -> list[(int, T)]",
            "Pairs of index, from 0, and member.",
            '[i for i, x in enumerate(["a", "b"])] == [0, 1]',
            python="indexed",
        ),
        _builtin(
            "range",
            ("(stop: int) -> list[int]", "(start: int, stop: int) -> list[int]"),
            "The ints from start (or 0) up to, not including, stop.",
            "range(3) == [0, 1, 2]",
            python="int_range",
            partial=True,
        ),
        _builtin(
            "flatten",
            "(lists: list[list[T]]) -> list[T]",
            "The members of the lists, in order.",
            "flatten([[1], [2, 3]]) == [1, 2, 3]",
            partial=True,
        ),
        _builtin(
            "take",
            "(items: list[T], count: int) -> list[T]",
            "At most the first `count`.",
            "take([1, 2], 1) == [1]",
        ),
        _builtin(
            "drop",
            "(items: list[T], count: int) -> list[T]",
            "Without the first `count`.",
            "drop([1, 2], 1) == [2]",
        ),
        _builtin(
            "group_by",
            "(pairs: list[(C, V)]) -> dict[C, list[V]]",
            "The second members of pairs, listed by the first.",
            'group_by(zip(["a", "b", "a"], [1, 2, 3])) == {"a": [1, 3], "b": [2]}',
        ),
        _builtin(
            "keys",
            (
                "(entries: dict[K, V]) -> list[K]",
                "(rows: table) -> list[key]",
                "(record: R) -> list[str]",
            ),
            "The keys, in order; of a record that is open to further keys, those it has.",
            'keys({"a": 1}) == ["a"]',
        ),
        _builtin(
            "values",
            ("(entries: dict[K, V]) -> list[V]", "(rows: table) -> list[row]"),
            "The values, in order; of an enum, `values(Unit)`, its members.",
            'values({"a": 1}) == [1]',
        ),
        _builtin(
            "items",
            ("(entries: dict[K, V]) -> list[(K, V)]", "(rows: table) -> list[(key, row)]"),
            "Pairs of key and value, in order.",
            '[k for k, v in items({"a": 1})] == ["a"]',
        ),
    ),
    "dates and durations": (
        _builtin("now", "() -> datetime", "The environment's clock.", "now() == now()", state=True),
        _builtin("today", "() -> date", "The clock's date.", "today() == date(now())", state=True),
        _builtin(
            "date",
            ("(moment: datetime) -> date", "(text: str) -> date"),
            "The day of a moment, or one read from ISO 8601 text.",
            'date("2024-05-01") < "2024-06-01"',
            python="to_date",
            partial=True,
        ),
        _builtin(
            "datetime",
            (
                "(day: date) -> datetime",
                "(day: date, time: time) -> datetime",
                "(text: str) -> datetime",
            ),
            "A moment: midnight of a day, a day and a time, or ISO 8601 text.",
            'datetime("2024-05-01T10:00:00") < "2024-06-01T00:00:00"',
            python="to_datetime",
            partial=True,
        ),
        _builtin(
            "time",
            ("(moment: datetime) -> time", "(text: str) -> time"),
            "The time of day of a moment, or one read from ISO 8601 text.",
            'time("10:30:00") < "11:00:00"',
            python="to_time",
            partial=True,
        ),
        _builtin(
            "duration",
            "(text: str) -> duration",
            "A duration read from ISO 8601 text.",
            'duration("P1D") == "PT24H"',
            python="to_duration",
            partial=True,
        ),
        _builtin(
            "year",
            ("(day: date) -> int", "(moment: datetime) -> int"),
            "The year.",
            'year(date("2024-05-01")) == 2024',
        ),
        _builtin(
            "month",
            ("(day: date) -> int", "(moment: datetime) -> int"),
            "The month, 1 to 12.",
            'month(date("2024-05-01")) == 5',
        ),
        _builtin(
            "day",
            ("(day: date) -> int", "(moment: datetime) -> int"),
            "The day of the month.",
            'day(date("2024-05-01")) == 1',
        ),
        _builtin(
            "hour",
            ("(time: time) -> int", "(moment: datetime) -> int"),
            "The hour, 0 to 23.",
            'hour(time("10:30:00")) == 10',
        ),
        _builtin(
            "minute",
            ("(time: time) -> int", "(moment: datetime) -> int"),
            "The minute.",
            'minute(time("10:30:00")) == 30',
        ),
        _builtin(
            "weekday",
            ("(day: date) -> str", "(moment: datetime) -> str"),
            "The day's English name, in lower case.",
            'weekday(date("2024-05-01")) == "wednesday"',
        ),
        _builtin(
            "days",
            "(duration: duration) -> float",
            "A duration in days.",
            'days(duration("PT12H")) == 0.5',
        ),
        _builtin(
            "seconds",
            "(duration: duration) -> float",
            "A duration in seconds.",
            'seconds(duration("PT1M")) == 60.0',
        ),
        _builtin(
            "format_date",
            (
                "(day: date, format: str) -> str",
                "(moment: datetime, format: str) -> str",
                "(time: time, format: str) -> str",
            ),
            "By a pattern of %Y %m %d %H %M %S %B %b %A %a %I %p %j.",
            'format_date(date("2024-05-01"), "%d.%m.%Y") == "01.05.2024"',
            partial=True,
        ),
    ),
    "geography": (
        _builtin(
            "haversine",
            "(latitude_a: float, longitude_a: float, latitude_b: float, longitude_b: float)"
            " -> float",
            "Great-circle distance in kilometres on a sphere of radius 6371.0088 km.",
            "haversine(0, 0, 0, 0) == 0.0",
            partial=True,
        ),
    ),
    "seeded randomness": (
        _builtin(
            "random_int",
            "(low: int, high: int) -> int",
            "A drawn int, both ends included.",
            "random_int(3, 3) == 3",
            partial=True,
            state=True,
        ),
        _builtin(
            "random_float",
            "(low: float, high: float) -> float",
            "A drawn float.",
            "random_float(1, 1) == 1.0",
            partial=True,
            state=True,
        ),
        _builtin(
            "random_moment",
            "(low: datetime, high: datetime) -> datetime",
            "A drawn moment of whole seconds, both ends included.",
            "random_moment(now(), now()) == now()",
            partial=True,
            state=True,
        ),
        _builtin(
            "choice",
            "(items: list[T]) -> T",
            "A drawn member.",
            'choice(["a"]) == "a"',
            partial=True,
            state=True,
        ),
        _builtin(
            "shuffle",
            "(items: list[T]) -> list[T]",
            "In a drawn order.",
            "shuffle([1]) == [1]",
            state=True,
        ),
        _builtin(
            "fresh_id",
            "(prefix: str, digits: int) -> str",
            "A drawn id that was not drawn before: prefix and digits.",
            'starts_with(fresh_id("W", 7), "W")',
            partial=True,
            state=True,
        ),
    ),
}
"""The built-ins in the order and under the heads of the reference."""

BUILTINS: dict[str, Builtin] = {
    builtin.name: builtin for family in FAMILIES.values() for builtin in family
}


@cache
def signatures(name: str) -> tuple[Signature, ...]:
    """The parsed overloads of a built-in."""
    return tuple(_parse(text) for text in BUILTINS[name].signatures)


def _parse(text: str) -> Signature:
    inside, _, result = text.rpartition(" -> ")
    parameters = []
    for part in _split(inside[1:-1]):
        name, _, kind = part.partition(": ")
        parameters.append(Parameter(name, _type(kind), False))
    return Signature(tuple(parameters), _type(result))


def _split(text: str) -> list[str]:
    """By commas outside of brackets."""
    parts, depth, start = [], 0, 0
    for index, character in enumerate(text):
        depth += (character in "[(") - (character in "])")
        if character == "," and depth == 0:
            parts.append(text[start:index].strip())
            start = index + 1
    rest = text[start:].strip()
    return [*parts, rest] if rest else parts


def _type(text: str) -> Type:
    if text.endswith("?"):
        return t.Optional(_type(text[:-1]))
    if text.startswith("("):
        return t.Tuple(tuple(map(_type, _split(text[1:-1]))))
    head, _, inner = text.partition("[")
    if inner:
        arguments = list(map(_type, _split(inner[:-1])))
        return t.List(arguments[0]) if head == "list" else t.Dict(arguments[0], arguments[1])
    return t.SCALARS.get(head) or Variable(head)
