"""The types of the language, as values: structural, hashable by identity of declaration.

A type is immutable. Named types (`Record`, `Enum`, `Union`) are compared by name, since one
environment has one declaration of a name; everything else is compared by structure. Facets
belong to the boundary (schemas, data, literals) and do not take part in assignability.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from toolc.node import Node

MAX_WRITTEN = 100_000
"""Types that stand in one type, or in all that an environment declares, when written out."""
MAX_NESTING = 150
"""How deep types stand in one another."""


class Type(Node):
    """Base of all types."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self).__name__, *self.__dict__.values()))

    def __str__(self) -> str:
        return show(self)


class Scalar(Type):
    """`bool int float decimal str date time datetime duration json`, and `null`."""

    name: str


BOOL, INT, FLOAT, DECIMAL, STR = map(Scalar, ("bool", "int", "float", "decimal", "str"))
DATE, TIME, DATETIME, DURATION = map(Scalar, ("date", "time", "datetime", "duration"))
JSON, NULL = Scalar("json"), Scalar("null")
SCALARS = {
    scalar.name: scalar
    for scalar in (BOOL, INT, FLOAT, DECIMAL, STR, DATE, TIME, DATETIME, DURATION, JSON)
}


class Never(Type):
    """The type of what does not return: an empty list's member, a failure."""


NEVER = Never()


class Literals(Type):
    """A union of string literals."""

    values: tuple[str, ...]


class Enum(Type):
    """A named union of string literals."""

    name: str
    values: tuple[str, ...]
    description: str = ""


class Refined(Type):
    """A type under facets, and perhaps the alias that names it."""

    inner: Type
    facets: tuple[tuple[str, Any], ...]
    name: str = ""
    description: str = ""


class FieldType(Type):
    """A field of a record; `default` is a JSON-like constant when `has_default`."""

    name: str
    type: Type
    optional: bool = False
    has_default: bool = False
    default: Any = None
    description: str = ""

    def __hash__(self) -> int:
        return hash((self.name, self.type, self.optional))


class Record(Type):
    """A record; inline ones have no name. Named ones may be recursive through `lazy`."""

    name: str
    lazy: Callable[[], tuple[FieldType, ...]]
    open: bool = False
    description: str = ""

    @property
    def members(self) -> tuple[FieldType, ...]:
        return self.lazy()

    def field(self, name: str) -> FieldType | None:
        return next((member for member in self.members if member.name == name), None)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record) or self.name != other.name:
            return False
        return bool(self.name) or (self.open, self.members) == (other.open, other.members)

    def __hash__(self) -> int:
        return hash(("record", self.name or tuple(member.name for member in self.members)))


class Case(Type):
    """One case of a union: a record whose tag is known. Values hold the tag as a field."""

    union: str
    tag: str
    values: tuple[str, ...]  # one value; several when a match narrowed to `case "a" | "b"`
    lazy: Callable[[], tuple[FieldType, ...]]  # tag first, then shared fields, then the case's own
    parts: tuple[Case, ...] = ()  # of several values: the cases that it may be

    @property
    def members(self) -> tuple[FieldType, ...]:
        return self.lazy()

    def field(self, name: str) -> FieldType | None:
        return next((member for member in self.members if member.name == name), None)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Case) and (self.union, self.values) == (other.union, other.values)

    def __hash__(self) -> int:
        return hash(("case", self.union, self.values))


class Union(Type):
    """Records told apart by the field `tag`; `cases` maps the tag's value to its case."""

    name: str
    tag: str
    lazy: Callable[[], dict[str, Case]]
    description: str = ""

    @property
    def cases(self) -> dict[str, Case]:
        return self.lazy()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Union) and self.name == other.name

    def __hash__(self) -> int:
        return hash(("union", self.name))


class List(Type):
    item: Type


class Dict(Type):
    key: Type
    value: Type


class Ref(Type):
    """A key of a table; `key` is the key's own type."""

    table: str
    lazy: Callable[[], Type]

    @property
    def key(self) -> Type:
        return self.lazy()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ref) and self.table == other.table

    def __hash__(self) -> int:
        return hash(("ref", self.table))


class Optional(Type):
    """`T?`; never nested."""

    inner: Type


class TableType(Type):
    """A table as a value in an expression: it iterates over rows and looks up by key."""

    name: str
    keys: tuple[Type, ...]
    row: Type

    @property
    def key(self) -> Type:
        return self.keys[0]


class Tuple(Type):
    """A member of `items(d)`, `enumerate(xs)`, `zip(a, b)`, a table with an outside key."""

    items: tuple[Type, ...]


def strip(kind: Type) -> Type:
    """Without facets, and a reference as the key that it is."""
    while True:
        if isinstance(kind, Refined):
            kind = kind.inner
        elif isinstance(kind, Ref):
            kind = kind.key
        else:
            return kind


def optional(kind: Type) -> Type:
    """`kind?`, not nested."""
    bare = strip(kind)
    return kind if isinstance(bare, Optional) or bare in (NULL, JSON) else Optional(kind)


def required(kind: Type) -> Type:
    """`kind` without null."""
    bare = strip(kind)
    return bare.inner if isinstance(bare, Optional) else kind


def nullable(kind: Type) -> bool:
    bare = strip(kind)
    return isinstance(bare, Optional) or bare in (NULL, JSON)


Sizes = dict[int, tuple[int, Type]]


def written_out(kind: Type, known: Sizes, depth: int = 0) -> int:
    """How many types stand in it where named ones are written out, as schemas do.

    `known` holds what was counted before, by identity. A type within itself counts as one; what
    nests deeper than `MAX_NESTING` counts as more than any limit.
    """
    if id(kind) in known:
        return known[id(kind)][0]
    if depth > MAX_NESTING:
        return MAX_WRITTEN + 1
    known[id(kind)] = 1, kind
    size = 1
    for inner in parts(kind):
        size += written_out(inner, known, depth + 1)
        if size > MAX_WRITTEN:
            break
    known[id(kind)] = size, kind
    return size


def parts(kind: Type) -> Iterable[Type]:
    """The types that stand in a type."""
    match kind:
        case Record() | Case():
            return [member.type for member in kind.members]
        case Union():
            return kind.cases.values()
        case Refined() | Optional():
            return [kind.inner]
        case List():
            return [kind.item]
        case Dict():
            return [kind.key, kind.value]
    return ()


def is_key(kind: Type) -> bool:
    """Whether rows may be keyed by it; so may a type that was reported already."""
    return is_text(kind) or strip(kind) in (INT, DATE, NEVER)


def is_text(kind: Type) -> bool:
    """Text at run time: str, a string literal union or an enum."""
    bare = strip(kind)
    return bare == STR or isinstance(bare, (Literals, Enum))


def is_number(kind: Type) -> bool:
    return strip(kind) in (INT, FLOAT, DECIMAL)


def literal_values(kind: Type) -> tuple[str, ...] | None:
    """The values of a literal union or an enum."""
    bare = strip(kind)
    return bare.values if isinstance(bare, (Literals, Enum)) else None


def show(kind: Type) -> str:
    """As a spec would write it."""
    match kind:
        case Scalar():
            return kind.name
        case Literals():
            return " | ".join(f'"{value}"' for value in kind.values)
        case Enum():
            return kind.name
        case Refined():
            return kind.name or show(kind.inner)
        case Record():
            if kind.name:
                return kind.name
            inner = [
                f"{member.name}{'?' if member.optional else ''}: {show(member.type)}"
                for member in kind.members
            ]
            return "{" + ", ".join([*inner, *(["..."] if kind.open else [])]) + "}"
        case Case():
            return f"{kind.union} " + " | ".join(f'"{value}"' for value in kind.values)
        case Union():
            return kind.name
        case List():
            return f"list[{show(kind.item)}]"
        case Dict():
            return f"dict[{show(kind.key)}, {show(kind.value)}]"
        case Ref():
            return f"ref {kind.table}"
        case Optional():
            inner_text = show(kind.inner)
            return f"({inner_text})?" if " " in inner_text else f"{inner_text}?"
        case TableType():
            return f"table {kind.name}"
        case Tuple():
            return "(" + ", ".join(map(show, kind.items)) + ")"
        case _:
            return "nothing"
