"""Building blocks of specs as trees, their literals, and their text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from toolc.importing.names import NAME, unique
from toolc.node import NOWHERE
from toolc.syntax import tree
from toolc.syntax.formatter import format_module
from toolc_runtime.errors import Malformed, SchemaError
from toolc_runtime.schema import Problems, compile_schema
from toolc_runtime.values import FORMATS

LEAST_INT = -(2**63)
SMALL = 3
"""Most fields of a record that stands where it is used."""
FEW = 6
"""Most values of an enumeration that stands where it is used."""

KEYWORDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "exclusive_minimum": "exclusiveMinimum",
    "exclusive_maximum": "exclusiveMaximum",
    "multiple_of": "multipleOf",
    "pattern": "pattern",
    "format": "format",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
    "unique_items": "uniqueItems",
    "min_properties": "minProperties",
    "max_properties": "maxProperties",
}
"""Facets and what JSON Schema calls them."""


class Note(NamedTuple):
    """What an import could not take over as it is: where it stands, and what became of it."""

    subject: str
    path: str
    reason: str


class Unreadable(Exception):
    """A document that holds nothing that can be imported."""


class Imported(NamedTuple):
    """The declarations of a spec, what they do not say of the original, and the data files that
    they refer to: JSON values by path."""

    items: tuple[tree.Item, ...]
    notes: tuple[Note, ...]
    files: Mapping[str, Any] = MappingProxyType({})


# ---------------------------------------------------------------- trees


def label(text: str) -> tree.Name:
    """A name, in quotes where it is no identifier."""
    return tree.Name(NOWHERE, text, NAME.fullmatch(text) is None)


def described(description: object) -> tree.Text | None:
    """A description, where there is one."""
    return tree.Text(NOWHERE, description) if isinstance(description, str) and description else None


def scalar(name: str) -> tree.TypeExpr:
    return tree.NamedType(NOWHERE, name)


JSON = scalar("json")
NULL = tree.LiteralType(NOWHERE, (None,))


def list_of(item: tree.TypeExpr) -> tree.TypeExpr:
    return tree.GenericType(NOWHERE, "list", (item,))


def dict_of(value: tree.TypeExpr, key: tree.TypeExpr | None = None) -> tree.TypeExpr:
    return tree.GenericType(NOWHERE, "dict", (key or scalar("str"), value))


def texts(values: Iterable[str]) -> tree.LiteralType:
    """One of these texts."""
    return tree.LiteralType(NOWHERE, tuple(tree.Text(NOWHERE, value) for value in values))


def optional(kind: tree.TypeExpr) -> tree.TypeExpr:
    """The type, or null."""
    if isinstance(kind, tree.OptionalType) or is_json(kind):
        return kind
    if isinstance(kind, tree.LiteralType):
        return kind if None in kind.values else tree.LiteralType(NOWHERE, (*kind.values, None))
    return tree.OptionalType(NOWHERE, kind)


def refined(kind: tree.TypeExpr, facets: Mapping[str, Any]) -> tree.TypeExpr:
    """The type with facets, if there are any."""
    if not facets:
        return kind
    made = (tree.Facet(NOWHERE, label(name), plain(value)) for name, value in facets.items())
    return tree.RefinedType(NOWHERE, kind, tuple(made))


def field(
    name: str,
    kind: tree.TypeExpr,
    *,
    optional: bool = False,
    default: tree.Expr | None = None,
    description: object = None,
) -> tree.Field:
    return tree.Field(NOWHERE, label(name), optional, kind, default, described(description))


def is_json(kind: tree.TypeExpr) -> bool:
    return isinstance(kind, tree.NamedType) and kind.name == "json"


def can_be_null(kind: tree.TypeExpr) -> bool:
    return (
        is_json(kind)
        or isinstance(kind, tree.OptionalType)
        or (isinstance(kind, tree.LiteralType) and None in kind.values)
    )


# ---------------------------------------------------------------- declared types


class Types:
    """The types that a spec declares, in order; those of one name and content are one."""

    def __init__(self) -> None:
        self.items: dict[str, tree.Item] = {}
        self._known: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def reserve(self, hints: Sequence[str]) -> str:
        """A name that no other type will have: the first free hint, else one with a number."""
        free = next((hint for hint in hints if hint not in self._taken), None)
        name = free or unique(hints[0], self._taken)
        self._taken.add(name)
        return name

    def declare(
        self, hints: Sequence[str], make: Callable[[tree.Name], tree.Item]
    ) -> tree.TypeExpr:
        """Declares a type, or finds the one that has its first name and its content."""
        content = repr(make(label("_")))
        known = self._known.get((hints[0], content))
        if known is None:
            known = self.reserve(hints)
            self.items[known] = make(label(known))
            self._known[hints[0], content] = known
        return scalar(known)

    def record(
        self,
        hints: Sequence[str],
        members: tuple[tree.Field, ...],
        *,
        open: bool = False,
    ) -> tree.TypeExpr:
        """A record: where it is used if it is small and plain, else declared."""
        small = inline(members, open)
        if small is not None:
            return small
        return self.declare(hints, lambda name: tree.Record(NOWHERE, name, None, members, open))

    def enumeration(self, hints: Sequence[str], values: Sequence[str]) -> tree.TypeExpr:
        """One of these texts: where it is used if they are few, else declared."""
        members = texts(values)
        if len(values) <= FEW:
            return members
        each = tuple(tree.Text(NOWHERE, value) for value in values)
        return self.declare(hints, lambda name: tree.Enum(NOWHERE, name, None, each))


def inline(members: tuple[tree.Field, ...], open: bool) -> tree.TypeExpr | None:
    """The record as it stands where it is used, if it is small and plain."""
    small = len(members) <= SMALL and all(map(_is_plain, members))
    return tree.RecordType(NOWHERE, members, open) if small else None


def _is_plain(member: tree.Field) -> bool:
    kind = member.type.inner if isinstance(member.type, tree.OptionalType) else member.type
    return (
        isinstance(kind, tree.NamedType | tree.RefType)
        and member.default is None
        and member.description is None
    )


# ---------------------------------------------------------------- literals


def plain(value: Any) -> tree.Expr:
    """The literal of a JSON value where any may stand."""
    return _PLAIN[type(value)](value)


def _number(value: float) -> tree.Expr:
    if value == LEAST_INT and isinstance(value, int):
        least = tree.Unary(NOWHERE, "-", tree.Number(NOWHERE, str(-(value + 1))))
        return tree.Binary(NOWHERE, least, "-", tree.Number(NOWHERE, "1"))
    digits = tree.Number(NOWHERE, repr(abs(value)))
    return tree.Unary(NOWHERE, "-", digits) if math.copysign(1, value) < 0 else digits


def _object(entries: Iterable[tuple[tree.Name, tree.Expr]]) -> tree.Expr:
    return tree.Object(NOWHERE, tuple(tree.Entry(NOWHERE, name, each) for name, each in entries))


def _quoted(text: str) -> tree.Name:
    return tree.Name(NOWHERE, text, True)


_PLAIN: dict[type, Callable[[Any], tree.Expr]] = {
    type(None): lambda value: tree.Null(NOWHERE),
    bool: lambda value: tree.Bool(NOWHERE, value),
    int: _number,
    float: _number,
    str: lambda value: tree.String(NOWHERE, value),
    list: lambda value: tree.ListLiteral(NOWHERE, tuple(map(plain, value))),
    dict: lambda value: _object((_quoted(name), plain(each)) for name, each in value.items()),
}


class Misfit(Exception):
    """A value that a type does not have."""


def literal(kind: tree.TypeExpr, value: Any, types: Mapping[str, tree.Item]) -> tree.Expr:
    """The literal of a JSON value of a type; Misfit where it is none of it."""
    return _LITERALS[type(kind)](kind, value, types)


Named = Mapping[str, tree.Item]


def _fits(fits: bool) -> None:
    if not fits:
        raise Misfit


def _named(kind: tree.NamedType, value: Any, types: Named) -> tree.Expr:
    read = _SCALARS.get(kind.name)
    if read is not None:
        return read(value)
    item = types[kind.name]
    return _ITEMS[type(item)](item, value, types)


def _of(*kinds: type) -> Callable[[Any], tree.Expr]:
    def read(value: Any) -> tree.Expr:
        _fits(type(value) in kinds)
        return plain(value)

    return read


def _float(value: Any) -> tree.Expr:
    _fits(type(value) in (int, float))
    return plain(float(value) if int(value) == float(value) else value)


def _formatted(format: str) -> Callable[[Any], tree.Expr]:
    def read(value: Any) -> tree.Expr:
        _fits(isinstance(value, str))
        try:
            FORMATS[format](value)
        except Malformed:
            raise Misfit from None
        return plain(value)

    return read


_SCALARS: dict[str, Callable[[Any], tree.Expr]] = {
    "bool": _of(bool),
    "int": _of(int),
    "float": _float,
    "str": _of(str),
    "json": plain,
    "date": _formatted("date"),
    "time": _formatted("time-local"),
    "datetime": _formatted("date-time-local"),
    "duration": _formatted("duration"),
    "decimal": _formatted("decimal"),
}


def _optional(kind: tree.OptionalType, value: Any, types: Named) -> tree.Expr:
    return plain(None) if value is None else literal(kind.inner, value, types)


def _generic(kind: tree.GenericType, value: Any, types: Named) -> tree.Expr:
    if kind.name == "list":
        _fits(isinstance(value, list))
        items = (literal(kind.arguments[0], each, types) for each in value)
        return tree.ListLiteral(NOWHERE, tuple(items))
    _fits(isinstance(value, dict))
    keys, values = kind.arguments
    for name in value:
        literal(keys, name, types)
    return _object((_quoted(name), literal(values, each, types)) for name, each in value.items())


def _members(
    members: Iterable[tree.Field], open: bool, value: Any, types: Named
) -> Iterable[tuple[tree.Name, tree.Expr]]:
    _fits(isinstance(value, dict))
    known = {member.name.text: member for member in members}
    for name, member in known.items():
        _fits(name in value or member.optional or member.default is not None)
    for name, each in value.items():
        _fits(open or name in known)
        yield label(name), literal(known[name].type, each, types) if name in known else plain(each)


def _record(kind: tree.RecordType | tree.Record, value: Any, types: Named) -> tree.Expr:
    return _object(list(_members(kind.members, kind.open, value, types)))


def _union(item: tree.Union, value: Any, types: Named) -> tree.Expr:
    _fits(isinstance(value, dict))
    tag = item.tag.text
    case = next((case for case in item.cases if case.value.value == value.get(tag)), None)
    if case is None:
        raise Misfit
    members = (field(tag, texts([case.value.value])), *item.shared, *case.members)
    return _object(list(_members(members, False, value, types)))


def _literals(kind: tree.LiteralType, value: Any, types: Named) -> tree.Expr:
    _fits(value in [each and each.value for each in kind.values])
    return plain(value)


def _refined(kind: tree.RefinedType, value: Any, types: Named) -> tree.Expr:
    _fits(meets(value, {facet.name.text: _constant(facet.value) for facet in kind.facets}))
    return literal(kind.inner, value, types)


def meets(value: Any, facets: Mapping[str, Any]) -> bool:
    """Whether a JSON value meets facets."""
    problems: Problems = []
    try:
        check = compile_schema({KEYWORDS[name]: wanted for name, wanted in facets.items()})
    except SchemaError:
        return False
    check(value, (), problems)
    return not problems


def _constant(value: tree.Expr) -> Any:
    if isinstance(value, tree.Unary):
        return -_constant(value.operand)
    assert isinstance(value, tree.Number | tree.String | tree.Bool)
    return value.value


_LITERALS: dict[type, Callable[[Any, Any, Named], tree.Expr]] = {
    tree.NamedType: _named,
    tree.OptionalType: _optional,
    tree.GenericType: _generic,
    tree.RecordType: _record,
    tree.LiteralType: _literals,
    tree.RefinedType: _refined,
}
_ITEMS: dict[type, Callable[[Any, Any, Named], tree.Expr]] = {
    tree.Record: _record,
    tree.Union: _union,
    tree.Enum: lambda item, value, types: _literals(
        tree.LiteralType(NOWHERE, item.values), value, types
    ),
    tree.Alias: lambda item, value, types: literal(item.type, value, types),
}


# ---------------------------------------------------------------- text

_TOGETHER = (tree.Table, tree.State, tree.Alias)


def write(environment: str, description: str, items: Iterable[tree.Item]) -> str:
    """The text of a spec, in canonical layout."""
    head = tree.Environment(
        NOWHERE, label(environment), tree.Text(NOWHERE, description), described("1.0"), None, None
    )
    return write_items((head, *items))


def write_items(items: Iterable[tree.Item]) -> str:
    """The text of declarations, in canonical layout."""
    text = "toolc 1"
    before: tree.Item | None = None
    for item in items:
        shown = _text(item)
        close = isinstance(item, _TOGETHER) and type(item) is type(before) and "\n" not in shown
        text += ("\n" if close else "\n\n") + shown
        before = item
    return text + "\n"


def _text(item: tree.Item) -> str:
    version = tree.Number(NOWHERE, "1")
    module = tree.Module(NOWHERE, version, (item,), ())
    return format_module(module, "").removeprefix("toolc 1").strip("\n")
