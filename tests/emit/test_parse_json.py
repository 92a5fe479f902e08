"""`parse_json(text, T)`: its check in the emitted module, and what it reads and refuses."""

from __future__ import annotations

import types
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from tests.emit.spec import environment
from toolc.emit.closed import prove_source
from toolc.emit.tools import Piece, emit_pieces, emit_tools
from toolc_runtime.errors import BudgetExceeded, Fail

SPEC = """
union Pay by kind { case "card" { digits: str(min_length: 4) }, case "cash" {} }
record Line "A line." {
  name: str "What is bought.", count: int(minimum: 1) = 1, price: decimal,
  due: date?, wait?: duration, pay: Pay = {kind: "cash"},
}
record Part { name: str, parts: list[Part] = [] }
type Maybe = int?
const line_json = [1]
tool line(text: str) -> json { return parse_json(text, Line) }
tool lines(text: str) -> int { return len(parse_json(text, list[Line]) ?? []) }
tool part(text: str) -> json { return parse_json(text, Part) else fail "no part" }
tool unit(text: str) -> json { return parse_json(text, Unit) }
tool days(text: str) -> json { return parse_json(text, dict[int, {at: date}]) }
tool maybe(text: str) -> int { return parse_json(text, Maybe) ?? len(line_json) }
tool anything(text: str) -> json { return parse_json(text) }
"""
LINE = '{"name":"tea","price":"1.50","due":null}'
FULL = (
    '{"name":"tea","count":2.0,"price":"3","due":"2024-05-01","wait":"P1D",'
    '"pay":{"kind":"card","digits":"1234"}}'
)


@pytest.fixture(scope="module")
def module() -> types.ModuleType:
    made = types.ModuleType("small_tools")
    exec(emit_tools(environment(SPEC)), made.__dict__)
    return made


def call(module: types.ModuleType, tool: str, text: str) -> Any:
    return module.TOOLS[tool].function(None, text)


@pytest.mark.parametrize(
    ("tool", "text", "value"),
    [
        (
            "line",
            LINE,
            {
                "name": "tea",
                "price": Decimal("1.50"),
                "due": None,
                "count": 1,
                "pay": {"kind": "cash"},
            },
        ),
        (
            "line",
            FULL,
            {
                "name": "tea",
                "count": 2,
                "price": Decimal(3),
                "due": date(2024, 5, 1),
                "wait": timedelta(days=1),
                "pay": {"kind": "card", "digits": "1234"},
            },
        ),
        ("lines", f"[{LINE},{FULL}]", 2),
        ("lines", f"[{LINE},1]", 0),
        ("lines", "[", 0),
        (
            "part",
            '{"name":"a","parts":[{"name":"b"}]}',
            {"name": "a", "parts": [{"name": "b", "parts": []}]},
        ),
        ("unit", '"a"', "a"),
        ("days", '{"7":{"at":"2024-05-01"}}', {7: {"at": date(2024, 5, 1)}}),
        ("maybe", "null", 1),
        ("maybe", "4", 4),
        ("anything", '[1,{"a":null}]', [1, {"a": None}]),
    ],
)
def test_values(module: types.ModuleType, tool: str, text: str, value: Any) -> None:
    assert repr(call(module, tool, text)) == repr(value)


@pytest.mark.parametrize(
    ("tool", "text", "message"),
    [
        ("line", "{", "not JSON: expecting property name enclosed in double quotes at line 1"),
        ("line", '{"a":1,"a":1}', 'not JSON: the key `"a"` occurs twice in one object'),
        ("line", "NaN", "not JSON: NaN is not JSON"),
        ("line", "1e999", "not JSON: the number 1e999 is beyond the range of a float"),
        ("line", " " * 100_001, "not JSON: the text has 100,001 characters, more than 100,000"),
        ("line", "[" * 70 + "]" * 70, "not JSON: nested more than 64 deep"),
        ("line", "[]", "unexpected JSON: `value` expected an object, found a list of 0"),
        ("line", '{"name":"tea"}', "unexpected JSON: `price` is required (and 1 more)"),
        ("line", LINE.replace("1.50", "x"), 'unexpected JSON: `price` `"x"` is not a decimal'),
        (
            "line",
            LINE.replace("null", 'null,"count":0'),
            "unexpected JSON: `count` `0` is less than 1",
        ),
        (
            "line",
            FULL.replace("1234", "12"),
            'unexpected JSON: `pay/digits` `"12"` has fewer than 4 characters',
        ),
        ("part", '{"name":"a","parts":[{}]}', "no part"),
        ("unit", '"c"', 'unexpected JSON: `value` expected `"a"` or `"b"`, found `"c"`'),
        ("anything", "", "not JSON: expecting value at line 1 column 1"),
    ],
)
def test_failures(module: types.ModuleType, tool: str, text: str, message: str) -> None:
    with pytest.raises(Fail) as failure:
        call(module, tool, text)
    assert not isinstance(failure.value, BudgetExceeded)
    assert str(failure.value.value).startswith(message)


def test_each_type_has_one_check_and_a_name_of_its_own() -> None:
    source = emit_tools(
        environment(SPEC + "fn f(text: str) -> Line { return parse_json(text, Line) }")
    )
    assert prove_source(source) == []
    assert source.count("LINE_JSON_ = compile_schema(") == 1
    assert source.count("LINE_JSON: list[int] = [1]") == 1
    assert (
        "What is bought." not in source[source.index("LINE_JSON_ =") : source.index("class State")]
    )


def test_what_only_pieces_read_is_no_part_of_the_tools() -> None:
    made = environment(
        'tool run(key: str) -> str { return key }\ntest "rows" { expect parse_json("1", int) == 1 }'
    )
    assert "parse_json" not in emit_tools(made)
    source = emit_pieces(made, [Piece("test", (), made.tests[0].body)])
    assert 'INT_JSON = compile_schema({"type": "integer"})' in source
    assert prove_source(source) == []
