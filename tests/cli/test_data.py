"""Data files: the values, and where in the file each stands."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolc.data import FORMATS, Format, Rows, parse_json, read_rows
from toolc.files import DataError


def at(rows: Rows, row: int, *within: str | int) -> str:
    span = rows.span(row, *within)
    return rows.text[span.start : span.end]


def refusal(text: str | bytes, format: Format) -> tuple[str, str, str]:
    """The code, the reason and the text at the place."""
    content = text.encode() if isinstance(text, str) else text
    with pytest.raises(DataError) as caught:
        read_rows("x", content, format)
    error = caught.value
    reason = error.values.get("reason") or f"{error.values['expected']}/{error.values['found']}"
    return error.code, reason, error.text[error.span.start : error.span.end]


def test_csv_cells_are_text_and_have_places() -> None:
    text = '\ufeffname,age\r\n"Ada, ""the"" first",36\r\n\r\nBob,\r\n'
    rows = read_rows("p.csv", text.encode(), "csv")
    assert rows.rows == ({"name": 'Ada, "the" first', "age": "36"}, {"name": "Bob", "age": ""})
    assert at(rows, 0, "name") == '"Ada, ""the"" first"'
    assert at(rows, 0, "age") == "36"
    assert at(rows, 1, "name") == "Bob"
    assert at(rows, 1) == "Bob,"


def test_json_list_and_object_and_lines() -> None:
    text = '[{"a": 1}, {"a": [true, {"b": "x,]"}], "a b": null}]'
    rows = read_rows("p.json", text.encode(), "json")
    assert at(rows, 1, "a", 1, "b") == '"x,]"'
    assert at(rows, 1, "a b") == "null"
    assert at(rows, 1, "a", 7) == '[true, {"b": "x,]"}]'
    assert at(rows, 0) == '{"a": 1}'
    keyed = read_rows("p.json", b'{"k\\u00e9": {"a": 1}, "l": {"a": 2.5}}', "json")
    assert keyed.keys == ("ké", "l")
    assert at(keyed, 1, "a") == "2.5"
    span = keyed.key_span(0)
    assert keyed.text[span.start : span.end] == '"k\\u00e9"'
    lines = read_rows("p.jsonl", b'{"a": 1}\n\n  {"a": "\\u2028"}\r\n', "jsonl")
    assert lines.rows == ({"a": 1}, {"a": "\u2028"})
    assert at(lines, 1, "a") == '"\\u2028"'


@pytest.mark.parametrize(
    ("text", "format", "code", "reason", "place"),
    [
        ("", "csv", "TC0404", "the header is missing", ""),
        ("a,b\n1,2\n3\n", "csv", "TC0404", "the row has 1 cell, the header 2", "3"),
        ("a,b,a\n", "csv", "TC0404", "column `a` occurs twice", "a"),
        ("a,,b\n", "csv", "TC0404", "a column has no name", ""),
        ('a\n"x', "csv", "TC0404", "unexpected end of data", '"x'),
        ('a\n"x"y\n', "csv", "TC0404", "',' expected after '\"'", '"x"y'),
        (b"a\n\xff\n", "csv", "TC0401", "line 2 is not UTF-8 text (at byte 2)", ""),
        (b"\x00\x01", "json", "TC0401", "line 1 is not UTF-8 text (at byte 0)", ""),
        ("[1", "json", "TC0405", "expecting ',' delimiter", ""),
        ('[{"a": 1, "a": 2}]', "json", "TC0405", "key `a` occurs twice", '"a"'),
        ('[{"a": NaN}]', "json", "TC0405", "`NaN` is not a JSON number", "NaN"),
        ('[{"a": 1e999}]', "json", "TC0405", "a number beyond 64 bits", "1e999"),
        (
            '[{"a": 9223372036854775808}]',
            "json",
            "TC0405",
            "a number beyond 64 bits",
            "9223372036854775808",
        ),
        ('[{"a": "\\ud800"}]', "json", "TC0405", "a surrogate stands alone", '"\\ud800"'),
        ("[" * 100_000, "json", "TC0405", "nested deeper than 64", ""),
        ('[{"a": ' + "[" * 65 + "]" * 65 + "}]", "json", "TC0405", "nested deeper than 64", "[]"),
        ("3", "json", "TC0406", "a list of objects, or an object of rows/a number", "3"),
        ('{"a": [1]}', "json", "TC0406", "an object/a list", "[1]"),
        ('{"a": 1}\n{"a": 1}}\n', "jsonl", "TC0405", "extra data", "}"),
        ('{"a": 1}\n"x"\n', "jsonl", "TC0406", "an object/text", '"x"'),
    ],
)
def test_refusals_name_the_place(
    text: str | bytes, format: Format, code: str, reason: str, place: str
) -> None:
    assert refusal(text, format) == (code, reason, place)


def test_duplicate_key_points_at_the_second() -> None:
    with pytest.raises(DataError) as caught:
        parse_json('{"a": {"x": 1}, "b": {"x": 1, "x": 2}}')
    assert caught.value.span == (30, 33)


@given(st.binary(max_size=200), st.sampled_from(sorted(FORMATS.values())))
def test_noise_is_refused_or_read(content: bytes, format: Format) -> None:
    try:
        rows = read_rows("x", content, format)
    except DataError as error:
        assert 0 <= error.span.start <= error.span.end <= len(error.text)
    else:
        assert all(isinstance(row, dict) for row in rows.rows)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.lists(st.dictionaries(st.text(max_size=3), VALUES, max_size=3), min_size=1, max_size=4))
def test_every_json_value_is_found_where_it_stands(written: list[dict[str, object]]) -> None:
    rows = read_rows("x", json.dumps(written, indent=1).encode(), "json")
    assert list(rows.rows) == written
    for index, row in enumerate(written):
        for label, value in row.items():
            assert json.loads(at(rows, index, label)) == value


CELLS = st.text(st.characters(blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=5)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=4))
def test_every_csv_cell_is_found_where_it_stands(written: list[tuple[str, str]]) -> None:
    quoted = [
        "first,second",
        *(",".join('"' + c.replace('"', '""') + '"' for c in row) for row in written),
    ]
    rows = read_rows("x", "\n".join(quoted).encode(), "csv")
    assert [tuple(row.values()) for row in rows.rows] == written
    for index, row in enumerate(written):
        for label, value in zip(("first", "second"), row, strict=True):
            assert at(rows, index, label)[1:-1].replace('""', '"') == value
