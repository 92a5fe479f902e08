"""Types as JSON Schema, read by a validator of that language and by the runtime alike."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.emit.spec import environment
from toolc.analysis.check import check
from toolc.emit.schemas import state_schemas, tool_schemas
from toolc.syntax.parser import parse
from toolc_runtime.schema import compile_parameters, compile_schema

CASES: list[tuple[str, dict[str, Any]]] = [
    ("x: int", {"type": "integer"}),
    ("x: float(minimum: 0.5)", {"type": "number", "minimum": 0.5}),
    ('x: str(min_length: 1, pattern: "^a")', {"type": "string", "minLength": 1, "pattern": "^a"}),
    ("x: date", {"type": "string", "format": "date"}),
    ("x: time", {"type": "string", "format": "time-local"}),
    ("x: datetime", {"type": "string", "format": "date-time-local"}),
    ("x: duration", {"type": "string", "format": "duration"}),
    ("x: decimal", {"type": "string", "format": "decimal"}),
    ("x: json", {}),
    ("x: int?", {"type": ["integer", "null"]}),
    ('x: "a" | "b"', {"type": "string", "enum": ["a", "b"]}),
    ('x: "a" | null', {"type": ["string", "null"], "enum": ["a", None]}),
    ("x: Unit", {"type": "string", "enum": ["a", "b"]}),
    ("x: ref rows", {"type": "string"}),
    (
        "x: list[int](min_items: 1, unique_items: true)",
        {"type": "array", "items": {"type": "integer"}, "minItems": 1, "uniqueItems": True},
    ),
    ("x: dict[str, int]", {"type": "object", "additionalProperties": {"type": "integer"}}),
    (
        "x: dict[int, bool]",
        {
            "type": "object",
            "additionalProperties": {"type": "boolean"},
            "propertyNames": {"type": "string", "format": "integer"},
        },
    ),
    (
        'x: {a: int "How many.", b?: str, c: int = 2}',
        {
            "type": "object",
            "properties": {
                "a": {"type": "integer", "description": "How many."},
                "b": {"type": "string"},
                "c": {"type": "integer", "default": 2},
            },
            "required": ["a"],
            "additionalProperties": False,
        },
    ),
    (
        "x: {a: int, ...}",
        {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
    ),
]


def parameters(text: str) -> dict[str, Any]:
    """The schema of the parameters of a tool that takes these."""
    schema = tool_schemas(environment(f"tool run({text}) -> int {{ return 1 }}"))[0]
    found: dict[str, Any] = schema["function"]["parameters"]
    return found


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_types(text: str, expected: dict[str, Any]) -> None:
    made = parameters(text)
    assert made["properties"]["x"] == expected
    jsonschema.Draft202012Validator.check_schema(made)
    compile_parameters(made)


def test_what_may_be_left_out_is_not_required() -> None:
    made = parameters('a: int, b: int = 3 "How many.", c?: str, d: str? = null')
    assert made["required"] == ["a"]
    assert made["properties"]["b"] == {"type": "integer", "description": "How many.", "default": 3}
    assert "default" not in made["properties"]["d"]
    assert made["additionalProperties"] is False


def test_defaults_are_json() -> None:
    made = parameters('a: decimal = "0.5", b: date = "2024-05-01", c: duration = "P1D"')
    assert [each["default"] for each in made["properties"].values()] == ["0.5", "2024-05-01", "P1D"]


def test_a_description_of_a_type_holds_for_its_fields() -> None:
    text = (
        'type Id "An id." = str(pattern: "^a")\ntool run(x: Id, y: Id "Mine.") -> int { return 1 }'
    )
    properties = tool_schemas(environment(text))[0]["function"]["parameters"]["properties"]
    assert [properties[name]["description"] for name in ("x", "y")] == ["An id.", "Mine."]


def test_recursive_records_are_definitions() -> None:
    text = """
    record Node { name: str, children: list[Node] = [] }
    tool run(x: Node) -> int { return 1 }
    """
    made = tool_schemas(environment(text))[0]["function"]["parameters"]
    assert made["properties"]["x"] == {"$ref": "#/$defs/Node"}
    value = {"x": {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]}}
    jsonschema.validate(value, made)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"x": {"name": "a", "children": [{}]}}, made)


def test_a_value_of_a_union_is_one_of_its_cases() -> None:
    text = """
    union Shape by kind { name: str, case "circle" { radius: float }, case "dot" {} }
    tool run(x: Shape) -> int { return 1 }
    """
    made = tool_schemas(environment(text))[0]["function"]["parameters"]
    jsonschema.validate({"x": {"kind": "dot", "name": "a"}}, made)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"x": {"kind": "circle", "name": "a"}}, made)


def test_the_state_has_schemas_of_keys_rows_and_scalars() -> None:
    made = state_schemas(environment("table pairs[a, b]: {a: int, b: str} = []"))
    assert made["tables"]["pairs"]["keys"] == [{"type": "integer"}, {"type": "string"}]
    assert made["tables"]["others"]["keys"] == [{"type": "string"}]
    assert made["state"]["doors"]["additionalProperties"] == {"type": "string"}
    for table in made["tables"].values():
        compile_schema(table["row"], made["$defs"])


def test_a_port_has_the_published_schemas(suites: Path, root: Path) -> None:
    path = root / "specs/suites/retail/retail.toolc"
    parsed = parse(path.read_text(), str(path))
    assert parsed.module is not None
    made = check({str(path): parsed.module}).environment
    assert made is not None
    published = json.loads((suites / "retail/tools.json").read_text())
    found = {schema["function"]["name"]: schema["function"] for schema in tool_schemas(made)}
    assert len(found) == len(published)
    for schema in published:
        function = schema["function"]
        mine = found[function["name"]]
        wanted, has = function["parameters"], mine["parameters"]
        assert mine["description"] == function["description"]
        assert sorted(has["required"]) == sorted(wanted.get("required", []))
        assert has["properties"] == wanted["properties"]
