"""Function schemas that are imported and emitted again mean what they meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tests.importing.programs import emitted, environment_of, spec_of
from toolc.build import ground
from toolc.importing.schemas import import_tools
from toolc.importing.spec import Unreadable
from toolc.scenarios.stage import require_closed

# ---------------------------------------------------------------- the published suites


@pytest.mark.parametrize("suite", ["posting", "retail", "ticket", "trading", "vehicle"])
def test_published_suites_come_out_as_they_went_in(suite: str, suites: Path) -> None:
    published = json.loads((suites / suite / "tools.json").read_text(encoding="utf-8"))
    imported = import_tools(published)
    assert imported.notes == ()
    found = emitted(imported)
    assert list(found) == [tool["function"]["name"] for tool in published]
    for tool in published:
        function = tool["function"]
        again = found[function["name"]]
        assert again["description"] == function["description"]
        ours, theirs = again["parameters"], dict(function["parameters"])
        assert ours.pop("additionalProperties") is False
        theirs.setdefault("required", [])
        assert normal(ours) == normal(theirs)


def normal(schema: Any) -> Any:
    """A schema without what restricts nothing."""
    if isinstance(schema, list):
        return [normal(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: normal(value) for key, value in schema.items()}
    if kept.get("properties") == {}:
        del kept["properties"]
    if kept.get("additionalProperties") in ({}, True):
        del kept["additionalProperties"]
    if isinstance(kept.get("required"), list):
        kept["required"] = sorted(kept["required"])
    return kept


# ---------------------------------------------------------------- by example


def imported_property(schema: Any, **rest: Any) -> tuple[str, list[str]]:
    """The spec of a tool with one required parameter `x`, without its head, and the notes."""
    parameters = {"type": "object", "properties": {"x": schema}, "required": ["x"], **rest}
    imported = import_tools([{"name": "f", "parameters": parameters}])
    environment_of(imported)
    notes = [f"{note.subject} {note.path}: {note.reason}" for note in imported.notes]
    return spec_of(imported).partition('version "1.0"\n\n')[2], notes


@pytest.mark.parametrize(
    ("schema", "kind", "note"),
    [
        ({"type": ["string", "integer"]}, "json", "values of several types cannot be said"),
        ({"allOf": [{"type": "string"}, {"minLength": 1}]}, "json", "a conjunction (`allOf`)"),
        ({"oneOf": [{"type": "string"}, {"type": "object"}]}, "json", "no field tells apart"),
        ({"type": "string", "contentEncoding": "base64"}, "str", "`contentEncoding` cannot be"),
        ({"type": "string", "pattern": "(?=a)"}, "str", '`pattern` `"(?=a)"` cannot be said'),
        ({"type": "number", "enum": [1, 2.5]}, "float", "only texts can be listed"),
        ({"type": "integer", "enum": [1, 5]}, "int", "only texts can be listed"),
        ({"type": "integer", "default": 1}, "int", "it is required: its default is left out"),
        ({"type": "array", "prefixItems": [{}]}, "list[json]", "`prefixItems` cannot be said"),
        ({"type": "text"}, "json", '`"text"` is no type'),
        ({"$ref": "other.json"}, "json", '`"other.json"` is not in this schema'),
        ({"$ref": "#/$defs/none"}, "json", "refers to nothing"),
        (False, "json", "no value fits"),
        ({"type": "object", "properties": {"__a": {}}}, "dict[str, json]", "keeps the name"),
    ],
)
def test_what_cannot_be_said_is_told(schema: Any, kind: str, note: str) -> None:
    spec, notes = imported_property(schema)
    assert spec == f"tool f(x: {kind}) -> json\n"
    (told,) = notes
    assert told.startswith("f parameters.x") and note in told


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "integer", "enum": [3, 1, 2]}, "int(minimum: 1, maximum: 3)"),
        ({"anyOf": [{"const": "a"}, {"enum": ["b"]}, {"type": "null"}]}, '"a" | "b" | null'),
        ({"type": "string", "enum": ["a", "bb"], "minLength": 2}, '"bb"'),
        ({"type": "string", "format": "date", "nullable": True}, "date?"),
        ({"type": "string", "format": "date-time"}, 'str(format: "date-time")'),
        ({"type": "number", "minimum": 1, "exclusiveMinimum": True}, "float(exclusive_minimum: 1)"),
        ({"type": "dict", "additionalProperties": {"type": "float"}}, "dict[str, float]"),
        ({"type": "object", "additionalProperties": False}, "{}"),
        ({"allOf": [{"type": "boolean"}], "description": ""}, "bool"),
        ({"properties": {"a b": {"type": "null"}}}, '{ "a b"?: null, ... }'),
    ],
)
def test_types(schema: Any, kind: str) -> None:
    spec, notes = imported_property(schema)
    assert notes == []
    wanted = kind.replace("{ ", "{").replace(" }", "}")
    assert wanted in spec or kind in spec, spec


def test_recursive_types_and_unions_have_names() -> None:
    case = {"type": "object", "required": ["op", "at"], "additionalProperties": False}
    at = {"type": "integer"}
    both = {"anyOf": [{"$ref": "#/$defs/Add"}, {"$ref": "#/$defs/Number"}]}
    definitions = {
        "Add": {**case, "properties": {"op": {"const": "add"}, "at": at, "left": both}},
        "Number": {**case, "properties": {"op": {"enum": ["number"]}, "at": at}},
        "Node": {
            "properties": {"next": {"$ref": "#/$defs/Node"}},
            "description": "A link.",
            "additionalProperties": False,
        },
        "Endless": {"properties": {"e": {"$ref": "#/$defs/Endless"}}, "required": ["e"]},
    }
    members = {"e": {"$ref": "#/$defs/Endless"}, "n": {"$ref": "#/$defs/Node"}, "expression": both}
    schema = {"type": "object", "properties": members, "additionalProperties": False}
    spec, notes = imported_property(schema, **{"$defs": definitions})
    for part in (
        'record Node "A link." { next?: Node }',
        'union Expression by op { at: int, case "add" { left?: Expression }, case "number" {} }',
        "record Endless { e: json, ... }",
    ):
        assert part in spec, spec
    assert notes == ["Endless : it would hold itself without an end: it is `json`"]


NAMES = ["None", "print", "class", "State", "get-weather", "1x", "len", "é", "_toolc_x", "__init__"]


@pytest.mark.parametrize("name", [*NAMES, "reset", "self", "a" * 100, "a\nb", '"', "int", "tool"])
def test_names_of_tools_and_parameters(name: str) -> None:
    properties = {name: {"type": "string"}, "other": {"properties": {name: {}}}}
    tools = [{"name": name, "parameters": {"properties": properties}}] * 2
    imported = import_tools(tools)
    environment = environment_of(imported)
    files = ground(environment, {}).files
    require_closed({"tools.py": files["tools.py"].decode()})
    compile(files["trl_environment.py"], "trl_environment.py", "exec")
    assert len(emitted(imported)) == 2
    renamed = {note.path for note in imported.notes}
    assert ("parameters." + name in renamed) == (name not in emitted(imported))


def test_results_and_shapes_of_documents() -> None:
    function = {"name": "f", "output_schema": {"type": "array", "items": {"type": "integer"}}}
    for document in ([function], {"tools": [{"type": "function", "function": function}]}, function):
        assert "tool f() -> list[int]\n" in spec_of(import_tools(document))


# ---------------------------------------------------------------- any schema of the subset

LABELS = st.one_of(
    st.sampled_from(["a", "b", "type", "class", "for", "a b", "", "x-y", 'q"', "{h}", "\n", "é"]),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
).filter(lambda label: not label.startswith("__"))
TEXTS = st.sampled_from(["", "a", "b", "ab", "abc", "2024-01-01", "{x}", '"', "\\", "é\n"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.sampled_from([0.5, -2.5, 3.0, 1e20]), TEXTS
)


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    def build(drawn: tuple[dict[str, Any], list[bool], Any]) -> dict[str, Any]:
        properties, flags, closed = drawn
        required = [name for name, flag in zip(properties, flags, strict=False) if flag]
        made: dict[str, Any] = {"type": "object", "properties": properties, "required": required}
        return made if closed is None else {**made, "additionalProperties": closed}

    flags = st.lists(st.booleans(), min_size=3, max_size=3)
    parts = st.tuples(
        st.dictionaries(LABELS, inner, max_size=3), flags, st.sampled_from([None, True, False])
    )
    return parts.map(build)


def with_bounds(kind: str, low: str, high: str, numbers: list[Any]) -> st.SearchStrategy[Any]:
    bounds = st.tuples(st.sampled_from(numbers), st.sampled_from(numbers)).map(sorted)
    return st.one_of(
        st.just({"type": kind}),
        bounds.map(lambda pair: {"type": kind, low: pair[0], high: pair[1]}),
        st.sampled_from(numbers).map(lambda bound: {"type": kind, low: bound}),
    )


LEAVES: st.SearchStrategy[Any] = st.one_of(
    with_bounds("integer", "minimum", "maximum", [-3, 0, 2, 5]),
    with_bounds("number", "exclusiveMinimum", "exclusiveMaximum", [-3, -0.5, 0, 2.5]),
    with_bounds("string", "minLength", "maxLength", [0, 1, 2]),
    st.just({"type": "integer", "multipleOf": 2}),
    st.just({"type": "string", "pattern": "^a"}),
    st.sampled_from(["email", "date", "date-time", "uuid"]).map(
        lambda form: {"type": "string", "format": form}
    ),
    st.lists(TEXTS, min_size=1, unique=True).map(lambda texts: {"type": "string", "enum": texts}),
    st.lists(TEXTS, min_size=1, unique=True).map(lambda texts: {"enum": [*texts, None]}),
    TEXTS.map(lambda text: {"const": text}),
    st.sampled_from([{"type": "boolean"}, {"type": "null"}, {}, True, {"enum": [2, 3, 1]}]),
    st.sampled_from(["Tree", "Chain", "Text"]).map(lambda name: {"$ref": f"#/$defs/{name}"}),
)


def nullable(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return inner.map(
        lambda schema: (
            {**schema, "type": [schema["type"], "null"]}
            if isinstance(schema, dict)
            and "enum" not in schema
            and isinstance(schema.get("type"), str)
            else {"anyOf": [schema, {"type": "null"}]}
        )
    )


def unions(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    def build(drawn: tuple[list[str], list[dict[str, Any]], bool]) -> dict[str, Any]:
        tags, cases, exclusive = drawn
        made = []
        for tag, case in zip(tags, cases, strict=False):
            made.append(
                {
                    "type": "object",
                    "properties": {**case["properties"], "kind": {"const": tag}},
                    "required": [*case["required"], "kind"],
                    "additionalProperties": False,
                }
            )
        return {"oneOf" if exclusive else "anyOf": made}

    tags = st.lists(TEXTS, min_size=2, max_size=3, unique=True)
    return st.tuples(tags, st.lists(objects(inner), min_size=3, max_size=3), st.booleans()).map(
        build
    )


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        nullable(inner),
        inner.map(lambda item: {"type": "array", "items": item, "maxItems": 3}),
        inner.map(lambda item: {"type": "array", "items": item, "uniqueItems": True}),
        inner.map(lambda item: {"type": "object", "additionalProperties": item}),
        inner.map(
            lambda item: {
                "type": "object",
                "additionalProperties": item,
                "propertyNames": {"pattern": "^a"},
                "minProperties": 1,
            }
        ),
        objects(inner),
        unions(inner),
    )


SCHEMAS = st.recursive(LEAVES, nested, max_leaves=6)
DEFINITIONS = {
    "Tree": {
        "type": "object",
        "properties": {
            "a": {"type": "integer"},
            "b": {"type": "array", "items": {"$ref": "#/$defs/Tree"}},
        },
        "required": ["a"],
        "additionalProperties": False,
    },
    "Chain": {
        "type": "object",
        "properties": {"a": {"anyOf": [{"$ref": "#/$defs/Chain"}, {"type": "null"}]}},
        "required": ["a"],
    },
    "Text": {"type": "string", "minLength": 1},
}


def values(schema: Any, depth: int = 4) -> st.SearchStrategy[Any]:
    """Values that a schema mostly accepts, and near misses."""
    if not isinstance(schema, dict):
        return SCALARS
    if "$ref" in schema:
        if not depth:
            return SCALARS
        return values(DEFINITIONS[schema["$ref"].rpartition("/")[2]], depth - 1)
    wrong = st.one_of(SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(LABELS, SCALARS))
    right: list[st.SearchStrategy[Any]] = []
    right += [values(one, depth) for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ()))]
    right += [st.sampled_from(schema["enum"])] if "enum" in schema else []
    right += [st.just(schema["const"])] if "const" in schema else []
    if "items" in schema:
        right.append(st.lists(values(schema["items"], depth), max_size=4))
    if "properties" in schema:
        members = {name: values(member, depth) for name, member in schema["properties"].items()}
        needed = {name: members[name] for name in schema.get("required", ())}
        others = {name: members[name] for name in members.keys() - needed}
        right.append(st.fixed_dictionaries(needed, optional=others))
        right.append(st.fixed_dictionaries(needed, optional={**others, "further": SCALARS}))
    elif isinstance(schema.get("additionalProperties"), dict):
        keys = st.sampled_from(["a", "ab", "b", ""])
        right.append(st.dictionaries(keys, values(schema["additionalProperties"], depth)))
    return st.one_of(*right, *right, wrong)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_the_same_values_are_accepted(data: st.DataObject) -> None:
    schema = data.draw(SCHEMAS, "schema")
    required = data.draw(st.booleans(), "required")
    parameters = {
        "type": "object",
        "properties": {"it": schema},
        "required": ["it"] if required else [],
        "$defs": DEFINITIONS,
    }
    imported = import_tools([{"name": "f", "parameters": parameters}])
    assert imported.notes == ()
    before = Draft202012Validator(parameters)
    after = Draft202012Validator(emitted(imported)["f"]["parameters"])
    for arguments in data.draw(st.lists(values(schema), min_size=8, max_size=20), "values"):
        given = {"it": arguments}
        assert before.is_valid(given) == after.is_valid(given), (given, spec_of(imported))
    assert before.is_valid({}) == after.is_valid({})


KEYWORDS = (
    "type",
    "properties",
    "required",
    "items",
    "enum",
    "const",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
    "$defs",
    "format",
    "default",
    "nullable",
    "description",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "multipleOf",
    "pattern",
    "minLength",
    "uniqueItems",
    "additionalProperties",
    "propertyNames",
    "not",
    "discriminator",
    "name",
    "parameters",
    "function",
    "tools",
)
JSON = st.recursive(
    st.one_of(SCALARS, st.sampled_from(["string", "object", "#", "#/$defs/a", "date"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.one_of(
                LABELS,
                st.sampled_from(KEYWORDS),
            ),
            inner,
            max_size=5,
        ),
    ),
    max_leaves=25,
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(JSON, st.sampled_from(["document", "parameters", "property"]))
def test_any_document_is_read_or_refused(document: Any, place: str) -> None:
    if place != "document":
        inner = {"properties": {"a": document}, "$defs": {"a": document}}
        document = [{"name": "f", "parameters": document if place == "parameters" else inner}]
    try:
        imported = import_tools(document)
    except Unreadable as error:
        assert str(error)
    else:
        environment_of(imported)
