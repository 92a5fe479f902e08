"""JSON Schema 2020-12 from types: the tools as function schemas, and the checks of the state.

Facets are JSON Schema's own words in snake case. Dates, durations and decimals are strings with
a format; named types stand inline, but for recursive ones, which are `$defs`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.types import FieldType, Type
from toolc_runtime.values import plain

Schema = dict[str, Any]

_SCALARS: dict[str, Schema] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "decimal": {"type": "string", "format": "decimal"},
    "str": {"type": "string"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "format": "time-local"},
    "datetime": {"type": "string", "format": "date-time-local"},
    "duration": {"type": "string", "format": "duration"},
    "json": {},
    "null": {"type": "null"},
}


def tool_schemas(environment: core.EnvironmentDef) -> list[Schema]:
    """The tools as OpenAI-style function schemas, in order of declaration."""
    return [tool_schema(tool) for tool in environment.functions if tool.kind == "tool"]


def tool_schema(tool: core.Function) -> Schema:
    """One tool as a function schema: `{"type": "function", "function": {…}}`."""
    fields = tuple(parameter.field for parameter in tool.parameters)
    writer = _Writer(recursive(field.type for field in fields))
    parameters: Schema = {
        "type": "object",
        "properties": {field.name: writer.property(field, null_default=False) for field in fields},
        "required": _required(fields),
        "additionalProperties": False,
    }
    definitions = writer.definitions()
    if definitions:
        parameters["$defs"] = definitions
    function: Schema = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    return {"type": "function", "function": {**function, "parameters": parameters}}


def state_schemas(environment: core.EnvironmentDef) -> Schema:
    """The schemas of keys, rows and scalars:
    `{"tables": {name: {"keys": […], "row": …}}, "state": {name: …}, "$defs": {…}}`."""
    kinds = [table.row for table in environment.tables]
    kinds += [scalar.type for scalar in environment.scalars]
    writer = _Writer(recursive(kinds))
    tables = {
        table.name: {
            "keys": [writer.schema(kind) for _, kind in table.keys],
            "row": writer.schema(table.row),
        }
        for table in environment.tables
    }
    state = {scalar.name: writer.schema(scalar.type) for scalar in environment.scalars}
    return {"tables": tables, "state": state, "$defs": writer.definitions()}


def type_schema(kind: Type, *, described: bool = False) -> Schema:
    """The schema that values of a type are held to, `described` or not."""
    writer = _Writer(recursive([kind]), described=described)
    schema = writer.schema(kind)
    definitions = writer.definitions()
    return {**schema, "$defs": definitions} if definitions else schema


def describe(field: FieldType) -> str:
    """What is said of a field: its own description, else its type's."""
    kind = field.type
    description = field.description
    while not description and isinstance(kind, (t.Refined, t.Optional, t.Enum, t.Record, t.Union)):
        description = getattr(kind, "description", "")
        if not isinstance(kind, (t.Refined, t.Optional)):
            break
        kind = kind.inner
    return description


def recursive(kinds: Iterable[Type]) -> dict[str, Type]:
    """The named types among those reachable that contain themselves."""
    found: dict[str, Type] = {}
    done: set[str] = set()

    def visit(kind: Type, above: tuple[str, ...]) -> None:
        if isinstance(kind, (t.Record, t.Union)) and kind.name:
            if kind.name in above:
                found[kind.name] = kind
                return
            if kind.name in done:
                return
            above = (*above, kind.name)
        for inner in _inside(kind):
            visit(inner, above)
        if isinstance(kind, (t.Record, t.Union)):
            done.add(kind.name)

    for kind in kinds:
        visit(kind, ())
    return found


def _inside(kind: Type) -> Iterator[Type]:
    match kind:
        case t.Record() | t.Case():
            yield from (member.type for member in kind.members)
        case t.Union():
            yield from kind.cases.values()
        case t.Refined() | t.Optional():
            yield kind.inner
        case t.List():
            yield kind.item
        case t.Dict():
            yield kind.value


def _required(fields: Sequence[FieldType]) -> list[str]:
    return [field.name for field in fields if not field.optional and not field.has_default]


class _Writer:
    """Schemas of types, with references to those that are recursive."""

    def __init__(self, references: dict[str, Type], *, described: bool = True) -> None:
        self._references = references
        self._described = described

    def definitions(self) -> Schema:
        return {name: self.schema(kind, named=True) for name, kind in self._references.items()}

    def schema(self, kind: Type, *, named: bool = False) -> Schema:
        """`named`: the definition itself, not a reference to it."""
        if not named and isinstance(kind, (t.Record, t.Union)) and kind.name in self._references:
            return {"$ref": f"#/$defs/{kind.name}"}
        return _SCHEMAS[type(kind)](self, kind)

    def property(self, field: FieldType, *, null_default: bool = True) -> Schema:
        made = dict(self.schema(field.type))
        description = describe(field) if self._described else ""
        if description:
            made["description"] = description
        if field.has_default and (null_default or field.default is not None):
            made["default"] = plain(field.default)
        return made

    def object(self, fields: Sequence[FieldType], open_: bool) -> Schema:
        made: Schema = {
            "type": "object",
            "properties": {field.name: self.property(field) for field in fields},
        }
        required = _required(fields)
        if required:
            made["required"] = required
        if not open_:
            made["additionalProperties"] = False
        return made

    def optional(self, kind: t.Optional) -> Schema:
        inner = self.schema(kind.inner)
        if not inner:
            return inner
        if isinstance(inner.get("type"), str):
            nullable = {**inner, "type": [inner["type"], "null"]}
            if "enum" in inner:
                nullable["enum"] = [*inner["enum"], None]
            return nullable
        return {"anyOf": [inner, {"type": "null"}]}

    def refined(self, kind: t.Refined) -> Schema:
        inner = dict(self.schema(kind.inner))
        for name, value in kind.facets:
            inner[_camel(name)] = value
        return inner

    def dict_(self, kind: t.Dict) -> Schema:
        made: Schema = {"type": "object", "additionalProperties": self.schema(kind.value)}
        key = self.schema(kind.key)
        if key == {"type": "integer"}:
            made["propertyNames"] = {"type": "string", "format": "integer"}
        elif key != {"type": "string"}:
            made["propertyNames"] = key
        return made


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(word.capitalize() for word in rest)


def _texts(values: Sequence[str]) -> Schema:
    return {"type": "string", "enum": list(values)}


_SCHEMAS: dict[type[Type], Callable[[_Writer, Any], Schema]] = {
    t.Scalar: lambda writer, kind: dict(_SCALARS[kind.name]),
    t.Literals: lambda writer, kind: _texts(kind.values),
    t.Enum: lambda writer, kind: _texts(kind.values),
    t.Refined: _Writer.refined,
    t.Record: lambda writer, kind: writer.object(kind.members, kind.open),
    t.Case: lambda writer, kind: writer.object(kind.members, False),
    t.Union: lambda writer, kind: {"anyOf": [writer.schema(case) for case in kind.cases.values()]},
    t.List: lambda writer, kind: {"type": "array", "items": writer.schema(kind.item)},
    t.Dict: _Writer.dict_,
    t.Ref: lambda writer, kind: writer.schema(kind.key),
    t.Optional: _Writer.optional,
}
