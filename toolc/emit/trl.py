"""`trl_environment.py`: the tools as methods of a class that TRL's `environment_factory` takes.

TRL makes schemas from annotations and docstrings, which say less than JSON Schema does. What
they cannot say stands in the arguments' descriptions: patterns, bounds and formats in words, and
where members or items have any of these, or an object has named fields, the schema itself. The
episode checks every call against the true schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.types import FieldType, Type
from toolc.emit import data, py
from toolc.emit.namer import free, identifier
from toolc.emit.printer import print_module
from toolc.emit.schemas import describe, type_schema
from toolc.emit.tidy import names_in
from toolc.emit.tools import banner, finished, imports
from toolc_runtime.trl import method_names
from toolc_runtime.values import plain

_TYPING = frozenset({"Any", "Literal"})
_FORMATS: dict[Type, str] = {
    t.DATE: "a date, as in 2024-05-31",
    t.TIME: "a time of day, as in 10:30:00",
    t.DATETIME: "a date and time, as in 2024-05-31T10:30:00",
    t.DURATION: "an ISO 8601 duration, as in P1D or PT45M",
    t.DECIMAL: "a decimal number as text, as in 12.50",
}
_FACETS = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusive_minimum": "more than {}",
    "exclusive_maximum": "less than {}",
    "multiple_of": "a multiple of {}",
    "min_length": "at least {} characters",
    "max_length": "at most {} characters",
    "pattern": "matching {}",
    "format": "in the format {}",
    "min_items": "at least {} items",
    "max_items": "at most {} items",
    "unique_items": "all different",
}
_SECTION = re.compile(r"\b(Args|Returns|Raises):")
"""What ends a part of a docstring wherever it stands, as TRL reads it."""
_CHOICES = re.compile(r"\(choices:.*\)$", re.IGNORECASE)
"""What TRL reads as the values of an argument at the end of its description."""


def emit_trl(
    environment: core.EnvironmentDef, digest: str = "", guests: Sequence[core.Function] = ()
) -> str:
    """The source of `trl_environment.py`; `guests` are tools of other environments."""
    tools = [function for function in environment.functions if function.kind == "tool"]
    tools += guests
    names = method_names(tool.name for tool in tools)
    methods: list[py.Statement] = [_method(tool, names[tool.name]) for tool in tools]
    about = environment.description or f"The environment {environment.name}."
    body: tuple[py.Statement, ...] = (
        py.Class(
            class_name(environment.name),
            (py.Name("TrlEnvironment"),),
            (
                py.Docstring(about),
                py.Assign(
                    (py.Name("_environment"),),
                    py.call("load", py.Attribute(py.call("Path", py.Name("__file__")), "parent")),
                ),
                *methods,
            ),
        ),
        _reward(),
    )
    typing = {name for name in names_in(body) if name in _TYPING}
    heads = (
        py.ImportFrom("pathlib", (("Path", None),)),
        *imports(typing),
        py.ImportFrom("toolc_runtime", (("load", None),)),
        py.ImportFrom("toolc_runtime.trl", (("TrlEnvironment", None), ("rewards", None))),
    )
    doc = f"The environment {environment.name} for TRL's `GRPOTrainer`."
    return finished(print_module(py.Module(banner(environment, digest), doc, (*heads, *body))))


def class_name(environment: str) -> str:
    """`rental_cars` as `RentalCarsEnvironment`."""
    words = "".join(char if char.isalnum() else " " for char in environment).split()
    return "".join(word[0].upper() + word[1:] for word in words) + "Environment"


def _method(tool: core.Function, name: str) -> py.Function:
    """A method that hands its arguments on; what may be left out is None by default."""
    parameters = [py.Parameter("self")]
    given: list[tuple[py.Expr | None, py.Expr]] = []
    optional: list[tuple[py.Expr | None, py.Expr]] = []
    names: list[tuple[str, FieldType]] = []
    fields = [parameter.field for parameter in tool.parameters]
    for field in sorted(fields, key=_may_be_left_out):
        python = free(identifier(field.name), {"self", *(known for known, _ in names)})
        names.append((python, field))
        left_out = _may_be_left_out(field)
        kind = annotation(t.optional(field.type) if left_out else field.type)
        parameters.append(py.Parameter(python, kind, py.NONE if left_out else None))
        (optional if left_out else given).append((py.Str(field.name), py.Name(python)))
    arguments: list[py.Expr] = [py.Str(tool.name), py.DictDisplay(tuple(given))]
    if optional:
        arguments.append(py.DictDisplay(tuple(optional)))
    called = py.call(py.Attribute(py.Name("self"), "_call"), *arguments)
    doc = _docstring(tool, names)
    return py.Function(
        name, tuple(parameters), py.Name("str"), (py.Docstring(doc), py.Return(called))
    )


def _may_be_left_out(field: FieldType) -> bool:
    return field.optional or field.has_default


def _docstring(tool: core.Function, names: list[tuple[str, FieldType]]) -> str:
    """Google's style, which TRL reads: every argument described, each on one line."""
    title = _line(tool.description) or f"Call {tool.name}."
    lines = [title]
    if names:
        lines += ["", "Args:"]
        lines += [f"    {name}: {_described(field)}" for name, field in names]
    return "\n".join(lines)


def _line(text: str) -> str:
    """A text on one line, in which TRL finds no section of the docstring."""
    return _SECTION.sub(r"\1 :", " ".join(text.split()))


def _described(field: FieldType) -> str:
    text = _line(describe(field)) or f"The {field.name.replace('_', ' ').strip()}."
    notes = list(_notes(field.type))
    if field.has_default and field.default is not None:
        notes.append(f"default {_shown(field.default)}")
    if not notes:
        return f"{text}." if _CHOICES.search(text) else text
    said = ", ".join(notes)
    return f"{text}{'' if text.endswith('.') else '.'} {said[0].upper()}{said[1:]}."


def _shown(value: Any) -> str:
    shown = plain(value)
    simple = isinstance(shown, str) and shown == _line(shown) != ""
    return shown if simple else _json(shown)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _SECTION.sub(r"\1\\u003a", " ".join(text.split("\n")))


def _notes(kind: Type) -> list[str]:
    """What an annotation cannot say of a type."""
    if not _annotated(_bare(kind)):
        return [f"as JSON Schema {_json(type_schema(kind, described=True))}"]
    notes: list[str] = []
    while isinstance(kind, (t.Refined, t.Optional, t.Ref)):
        if isinstance(kind, t.Refined):
            notes += [_FACETS[name].format(value) for name, value in kind.facets if name in _FACETS]
        kind = kind.key if isinstance(kind, t.Ref) else kind.inner
    if kind in _FORMATS:
        notes.insert(0, _FORMATS[kind])
    return notes


def _bare(kind: Type) -> Type:
    """A type without what words tell of it."""
    while isinstance(kind, (t.Refined, t.Optional, t.Ref)):
        kind = kind.key if isinstance(kind, t.Ref) else kind.inner
    return t.STR if kind in _FORMATS else kind


def _annotated(kind: Type) -> bool:
    """Whether an annotation says everything of a type."""
    match kind:
        case t.Refined() | t.Record() | t.Case() | t.Union():
            return False
        case t.Optional() as optional:
            return _annotated(optional.inner)
        case t.Ref() as reference:
            return _annotated(reference.key)
        case t.List() as items:
            return _annotated(items.item)
        case t.Dict() as entries:
            return entries.key == t.STR and _annotated(entries.value)
        case _:
            return kind not in _FORMATS


def annotation(kind: Type) -> py.Expr:
    """The annotation for a JSON value of the type, as far as TRL can express it."""
    match t.strip(kind):
        case t.Optional() as optional:
            inner = annotation(optional.inner)
            return inner if _is(inner, "Any") else py.Binary("|", inner, py.NONE)
        case t.List() as items:
            return py.Subscript(py.Name("list"), (annotation(items.item),))
        case t.Dict() as entries:
            return py.Subscript(py.Name("dict"), (py.Name("str"), annotation(entries.value)))
        case t.Record() | t.Case() | t.Union():
            return py.Subscript(py.Name("dict"), (py.Name("str"), py.Name("Any")))
        case t.Enum() | t.Literals() as texts:
            return data.literal(texts.values)
        case bare if bare in _FORMATS:
            return py.Name("str")
        case bare:
            return data.annotation(bare, {})


def _is(value: py.Expr, name: str) -> bool:
    return isinstance(value, py.Name) and value.id == name


def _reward() -> py.Function:
    anything = py.Subscript(py.Name("list"), (py.Name("Any"),))
    number = py.Binary("|", py.Name("float"), py.NONE)
    return py.Function(
        "reward",
        (
            py.Parameter("completions", anything),
            py.Parameter("environments", anything),
            py.Parameter("columns", py.Name("Any"), prefix="**"),
        ),
        py.Subscript(py.Name("list"), (number,)),
        (
            py.Docstring("The rewards of finished episodes, 0 to 1: a reward function for TRL."),
            py.Return(py.call("rewards", py.Name("completions"), py.Name("environments"))),
        ),
    )
