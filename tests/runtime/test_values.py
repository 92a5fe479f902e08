"""JSON text and the ISO 8601 formats."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pytest

from toolc_runtime.errors import Malformed
from toolc_runtime.values import (
    canonical,
    equal,
    key_text,
    parse,
    parse_date,
    parse_datetime,
    parse_decimal,
    parse_duration,
    parse_time,
    plain,
    quote,
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expecting value"),
        ("{'a': 1}", "property name"),
        ("[1] x", "extra data"),
        ("NaN", "NaN is not JSON"),
        ("[-Infinity]", "-Infinity is not JSON"),
        ("1e999", "beyond the range of a float"),
        ("9223372036854775808", "beyond 64 bits"),
        ("9" * 5000, "beyond 64 bits"),
        ('{"a": 1, "b": 2, "a": 3}', '`"a"` occurs twice'),
        ('"\\ud800"', "lone surrogate"),
        ('"\ud800"', "lone surrogate"),
        ("[" * 65 + "]" * 65, "nested more than 64 deep"),
        ("[" * 100_000, "nested more than 64 deep"),
        ('"' + "a" * 1_000_000 + '"', "more than 1,000,000"),
        ('"a\nb"', "invalid control character"),
    ],
)
def test_refused(text: str, message: str) -> None:
    with pytest.raises(Malformed, match=message):
        parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (" [1, 2.50]\n", [1, 2.5]),
        ("-9223372036854775808", -(2**63)),
        ('"\\ud83d\\ude00"', "😀"),
        ('"' + "[" * 100 + '"', "[" * 100),
        ('{"a": {"b": null}}', {"a": {"b": None}}),
        ("[" * 64 + "]" * 64, None),
        ("1e3", 1000.0),
    ],
)
def test_accepted(text: str, value: Any) -> None:
    found = parse(text)
    assert value is None or (found == value and type(found) is type(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": [True, None, 2.0]}, '{"b":1,"a":[true,null,2.0]}'),
        ("é\n", '"é\\n"'),
        ([date(2024, 5, 1), time(9, 0)], '["2024-05-01","09:00:00"]'),
        (datetime(2024, 5, 1, 9), '"2024-05-01T09:00:00"'),
        (Decimal("1E+2"), '"100"'),
        (timedelta(days=1, hours=2), '"P1DT2H"'),
        (timedelta(minutes=-5), '"-PT5M"'),
        (timedelta(microseconds=500_000), '"PT0.5S"'),
        (timedelta(), '"PT0S"'),
        ({date(2024, 5, 1): 1}, '{"2024-05-01":1}'),
        ({("a", 1): 2}, '{"[\\"a\\",1]":2}'),
        ((1, "a"), '[1,"a"]'),
    ],
)
def test_canonical(value: Any, text: str) -> None:
    assert canonical(value) == text


def test_canonical_refuses() -> None:
    for value in (float("nan"), float("inf")):
        with pytest.raises(ValueError):
            canonical(value)
    with pytest.raises(TypeError):
        canonical({"a": object()})


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (parse_date, "2024-02-29", date(2024, 2, 29)),
        (parse_date, "2023-02-29", None),
        (parse_date, "20240501", None),
        (parse_time, "09:30:00.25", time(9, 30, 0, 250_000)),
        (parse_time, "24:00:00", None),
        (parse_time, "09:30", None),
        (parse_datetime, "2024-05-01T09:00:00", datetime(2024, 5, 1, 9)),
        (parse_datetime, "2024-05-01T09:00:00Z", None),
        (parse_duration, "P2W", timedelta(weeks=2)),
        (parse_duration, "-P1DT2H3M4.5S", -timedelta(days=1, hours=2, minutes=3, seconds=4.5)),
        (parse_duration, "P", None),
        (parse_duration, "P1DT", None),
        (parse_duration, "P1Y", None),
        (parse_duration, "P999999999W", None),
        (parse_decimal, "-0.10", Decimal("-0.10")),
        (parse_decimal, "1e3", None),
        (parse_decimal, "٣", None),
        (parse_date, "2024-05-01\n", None),
    ],
)
def test_formats(read: Any, text: str, value: Any) -> None:
    if value is None:
        with pytest.raises(Malformed):
            read(text)
    else:
        assert read(text) == value


def test_plain_shares_what_needs_no_change() -> None:
    row = {"a": [1, "x"], "b": {"c": None}}
    assert plain(row) is row
    changed = plain({"same": row, "day": date(2024, 5, 1)})
    assert changed == {"same": row, "day": "2024-05-01"}
    assert changed["same"] is row


def test_key_text() -> None:
    assert [key_text(key) for key in ("a", 7, ("a", 7), date(2024, 5, 1))] == [
        "a",
        "7",
        '["a",7]',
        "2024-05-01",
    ]


def test_equal_and_quote() -> None:
    assert equal([1, {"a": 2.0}], [1.0, {"a": 2}])
    assert not equal([True], [1])
    assert quote("a" * 100).endswith("…`") and len(quote("a" * 100)) == 62
    assert quote({"a": 1}) == "an object of 1"
