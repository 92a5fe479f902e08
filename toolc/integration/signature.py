"""What a tool takes, whatever form it takes it in: values at the leaves of its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from toolc.importing.names import words
from toolc.rewriting.spec import Spec
from toolc.scaling.links import taken_keys
from toolc.scaling.transformation import members, plain
from toolc.syntax import tree

COORDINATES = ("latitude", "longitude")


class Kind(NamedTuple):
    """What a leaf takes: a type, as a spec writes it, or the table of which it is a key."""

    type: str
    table: str = ""


class Leaf(NamedTuple):
    """A value within an argument: the parameter, the field below it ("" for none), its place in a
    text such as '59.9,10.7' (None for none), and whether the argument may be left out."""

    parameter: str
    field: str
    part: int | None
    kind: Kind
    type: tree.TypeExpr
    optional: bool


def leaves(spec: Spec, tool: tree.Tool) -> tuple[Leaf, ...]:
    """The values that a tool takes, in order."""
    return tuple(leaf for each in tool.parameters for leaf in _leaves(spec, tool, each))


def _leaves(spec: Spec, tool: tree.Tool, each: tree.Field) -> Iterator[Leaf]:
    name = each.name.text
    optional = each.optional or each.default is not None
    inner = members(spec, each.type)
    if inner and not optional and all(f.default is None and not f.optional for f in inner):
        for field in inner:
            yield Leaf(name, field.name.text, None, _kind(spec, field.type), field.type, False)
    elif _is_position(spec, tool, each) and not optional:
        for part in range(len(COORDINATES)):
            yield Leaf(name, "", part, Kind("float"), tree.NamedType(each.span, "float"), False)
    else:
        tables = sorted(taken_keys(spec.definition, tool.name.text, name))
        kind = Kind("key", tables[0]) if len(tables) == 1 else _kind(spec, each.type)
        yield Leaf(name, "", None, kind, each.type, optional)


def _is_position(spec: Spec, tool: tree.Tool, each: tree.Field) -> bool:
    """Whether a text parameter takes a latitude and a longitude, as its words say."""
    bare = plain(spec, each.type)
    told = f"{_told(each.description)} {_told(tool.description)}"
    is_text = isinstance(bare, tree.NamedType) and bare.name == "str"
    return is_text and set(COORDINATES) <= set(words(told[:200]) + words(told[-200:]))


def _told(text: tree.Text | None) -> str:
    return text.value if text else ""


def _kind(spec: Spec, type: tree.TypeExpr) -> Kind:
    bare = plain(spec, type)
    if isinstance(bare, tree.NamedType):
        return Kind(bare.name)
    if isinstance(bare, tree.RefType):
        return Kind("key", bare.table.text)
    if isinstance(bare, tree.LiteralType):
        return Kind(" | ".join(sorted(str(each and each.value) for each in bare.values)))
    return Kind(repr(bare))


def kinds(of: Sequence[Leaf]) -> tuple[Kind, ...]:
    """What tools have in common that take the same."""
    return tuple(leaf.kind for leaf in of)


def arguments(of: Sequence[Leaf], values: Sequence[Any]) -> dict[str, Any]:
    """The JSON arguments of a call that takes these values."""
    made: dict[str, Any] = {}
    for leaf, value in zip(of, values, strict=True):
        if leaf.field:
            made.setdefault(leaf.parameter, {})[leaf.field] = value
        elif leaf.part is not None:
            before = [made[leaf.parameter]] if leaf.parameter in made else []
            made[leaf.parameter] = ",".join([*before, repr(value)])
        elif value is not None or not leaf.optional:
            made[leaf.parameter] = value
    return made
