"""The built-ins: what they give, and how they fail."""

from __future__ import annotations

import random
import warnings
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from toolc_runtime import builtins as b
from toolc_runtime.budget import MAX_STEPS, METER, Meter, grow
from toolc_runtime.errors import BudgetExceeded, Fail


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (b.split(" a b "), ["a", "b"]),
        (b.split("a,b,", ","), ["a", "b", ""]),
        (b.join(["a", "b"], ", "), "a, b"),
        (b.pad("7", 3, "0"), "007"),
        (b.find("abc", "z"), None),
        (b.find("abc", "c"), 2),
        (b.matches("#W12", "^#W[0-9]+$"), True),
        (b.similarity("abc", "abd"), 4 / 6),
        (b.similarity("kitten", "sitting"), 8 / 13),
        (b.similarity("", ""), 1.0),
        (b.text(True), "true"),
        (b.text(None), "null"),
        (b.text(2.0), "2.0"),
        (b.text(Decimal("1.50")), "1.50"),
        (b.text(timedelta(days=1)), "P1D"),
        (b.text({"a": [1]}), '{"a":[1]}'),
        (b.round(2.675, 2), 2.67),
        (b.round(2.5), 2),
        (b.round(1250, -2), 1200),
        (b.floor(-1.5), -2),
        (b.total([0.1, 0.2, 0.3]), 0.1 + 0.2 + 0.3),
        (b.total([]), 0),
        (b.smallest([2, 1]), 1),
        (b.largest(2, 3), 3),
        (b.to_int(" -12 "), -12),
        (b.to_int(2.9), 2),
        (b.to_float("1.5"), 1.5),
        (b.to_decimal("0.10") + b.to_decimal("0.20"), Decimal("0.30")),
        (b.sorted_by(["bb", "a", "cc"], [(len, True), (lambda x: x, False)]), ["bb", "cc", "a"]),
        (b.sorted_by([10, 20, 30], [([2, 1, 2], True)]), [10, 30, 20]),
        (b.reverse("abc"), "cba"),
        (b.unique([1, 1.0, True, [1], [1]]), [1, True, [1]]),
        (b.pairs([1, 2], ["a"]), [(1, "a")]),
        (b.indexed(["a"]), [(0, "a")]),
        (b.int_range(2, 5), [2, 3, 4]),
        (b.int_range(-1), []),
        (b.flatten([[1], [], [2, 3]]), [1, 2, 3]),
        (b.take([1, 2], 5), [1, 2]),
        (b.drop([1, 2], -1), [1, 2]),
        (b.group_by([("a", 1), ("b", 2), ("a", 3)]), {"a": [1, 3], "b": [2]}),
        (b.to_datetime(date(2024, 5, 1)), datetime(2024, 5, 1)),
        (b.to_time("10:30:00"), time(10, 30)),
        (b.weekday(date(2024, 5, 1)), "wednesday"),
        (b.days(timedelta(hours=12)), 0.5),
        (
            b.format_date(datetime(2024, 5, 1, 0, 5), "%d %B %Y, %I:%M %p%%"),
            "01 May 2024, 12:05 AM%",
        ),
        (b.parse_json('{"a":1}'), {"a": 1}),
        (b.add(date(2024, 1, 31), timedelta(days=1)), date(2024, 2, 1)),
        (b.multiply(timedelta(days=1), 2), timedelta(days=2)),
        (b.modulo(-7, 3), 2),
        (b.modulo(Decimal(-7), Decimal(3)), Decimal(2)),
        (b.floor_divide(Decimal("-7.5"), Decimal(2)), Decimal(-4)),
        (b.power(2, 62), 2**62),
        (b.power(2, -1), 0.5),
    ],
)
def test_values(found: Any, expected: Any) -> None:
    assert found == expected and type(found) is type(expected)


def test_haversine() -> None:
    assert b.haversine(0, 0, 0, 180) == pytest.approx(20015.1144, abs=1e-3)
    assert b.haversine(52.52, 13.405, 48.8566, 2.3522) == pytest.approx(877.46, abs=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: b.split("a", ""), "the separator of split is empty"),
        (lambda: b.first([]), "first of an empty list"),
        (lambda: b.smallest([]), "min of an empty list"),
        (lambda: b.sqrt(-1), r"sqrt\(-1\) has no value"),
        (lambda: b.log(0), r"log\(0\) has no value"),
        (lambda: b.exp(1000), "has no value"),
        (lambda: b.to_int("1.5"), "is not an integer"),
        (lambda: b.to_int("9" * 5000), "is not an integer"),
        (lambda: b.to_float("inf"), "is not a number|beyond"),
        (lambda: b.to_date("x"), "is not a date"),
        (lambda: b.to_duration("P1Y"), "is not a duration"),
        (lambda: b.format_date(date(2024, 5, 1), "%H"), "has no value here"),
        (lambda: b.matches("a", "("), "bad pattern"),
        (lambda: b.parse_json("{"), "not JSON"),
        (lambda: b.sorted_by([1, None], [([1, None], False)]), "no order"),
        (lambda: b.divide(1, 0), "division by zero"),
        (lambda: b.divide(1.0, 0), "division by zero"),
        (lambda: b.modulo(Decimal(1), Decimal(0)), "division by zero"),
        (lambda: b.power(-8, 0.5), "complex"),
        (lambda: b.power(0, -1), "negative power"),
        (lambda: b.multiply(1e308, 10.0), "range of a float"),
        (lambda: b.add(date(9999, 12, 31), timedelta(days=1)), "beyond the calendar"),
        (lambda: b.multiply(timedelta(days=999_999_999), 9), "beyond the calendar"),
        (lambda: b.power(10.0, 400), "range of a float"),
        (lambda: b.haversine(91, 0, 0, 0), "a latitude is"),
    ],
)
def test_failures(call: Any, message: str) -> None:
    with pytest.raises(Fail, match=message) as failure:
        call()
    assert not isinstance(failure.value, BudgetExceeded)


@pytest.mark.parametrize(
    "call",
    [
        lambda: b.multiply(2**40, 2**40),
        lambda: b.power(2, 10**9),
        lambda: b.add(2**63 - 1, 1),
        lambda: b.int_range(10**12),
        lambda: b.pad("", 10**12),
        lambda: b.replace("a" * 50_000, "a", "b" * 50_000),
        lambda: b.join(["a" * 60_000] * 2, ""),
        lambda: b.flatten([[0] * 60_000] * 2),
        lambda: b.walk(0, lambda n: [n + 1]),
        lambda: grow("a" * 100_001),
    ],
)
def test_growth_is_bounded(call: Any) -> None:
    with pytest.raises(BudgetExceeded):
        call()


def test_scans_are_charged() -> None:
    meter = Meter()
    items = list(range(1_000))
    METER.set(meter)
    try:
        with pytest.raises(BudgetExceeded):
            for _ in range(MAX_STEPS):
                b.total(items)
    finally:
        METER.set(None)


def test_walk() -> None:
    tree: dict[str, Any] = {
        "name": "root",
        "kids": [{"name": "a", "kids": []}, {"name": "a", "kids": []}],
    }
    assert [node["name"] for node in b.walk(tree, lambda node: node["kids"])] == ["root", "a", "a"]
    graph = {"a": ["b", "c"], "b": ["a", "d"], "c": ["d"], "d": []}
    assert b.walk("a", graph.__getitem__) == ["a", "b", "d", "c"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("2 * (3 + 4)", 14.0),
        ("2 ** 3 ** 2", 512.0),
        ("-2 ** 2", -4.0),
        ("2 ** -1", 0.5),
        ("2 - -3", 5.0),
        ("7 // 2", 3.0),
        ("-7 // 2 * 2", -8.0),
        (" .5 + 1.", 1.5),
        ("1000000 * 1000000", 1e12),
        ("", "invalid syntax (<string>, line 0)"),
        ("   ", "invalid syntax (<string>, line 0)"),
        (".", "invalid syntax (<string>, line 1)"),
        ("2 +", "invalid syntax (<string>, line 1)"),
        ("1 2", "invalid syntax (<string>, line 1)"),
        ("()", "invalid syntax (<string>, line 1)"),
        ("(1 + 2", "'(' was never closed (<string>, line 1)"),
        ("1 + 2)", "unmatched ')' (<string>, line 1)"),
        ("1 + x", "invalid characters in expression"),
        ("7 / (2 - 2)", "division by zero"),
        ("3.5 / 0", "float division by zero"),
        ("10 // 0", "integer division or modulo by zero"),
        ("7.5 // 0", "float floor division by zero"),
        ("9**9**9", "an integer may have at most 64 bits"),
        ("(" * 200 + "1" + ")" * 200, "too many nested parentheses (<string>, line 1)"),
        ("2**-" * 150 + "1", "too many nested powers (<string>, line 1)"),
        ("-" * 5_000 + "1", 1.0),
    ],
)
def test_calculate(expression: str, expected: float | str) -> None:
    if isinstance(expected, str):
        with pytest.raises(Fail) as failure:
            b.calculate(expression)
        assert failure.value.value == expected == b.calculation_error(expression)
    else:
        assert b.calculate(expression) == expected
        assert b.calculation_error(expression) is None


def test_calculate_as_python_does() -> None:
    chance = random.Random(5)
    checked = 0
    for _ in range(2_000):
        numbers = chance.choices(["1", "2.5", "0", "(3", "4)", "-2", ""], k=4)
        signs = chance.choices(["+", "-", " * ", "/", "//", "%", "**", ""], k=4)
        pieces = map("".join, zip(numbers, signs, strict=True))
        expression = "".join(pieces).rstrip("+-*/% ")
        try:
            with warnings.catch_warnings(action="ignore"):
                expected = eval(expression)
        except (SyntaxError, ZeroDivisionError, TypeError):
            expected = None
        if isinstance(expected, (int, float)):
            assert b.calculate(expression) == float(expected), expression
            checked += 1
        elif expected is None:
            assert b.calculation_error(expression) is not None, expression
    assert checked > 100
