"""Questions about the typed tree: its parts, paths and roots."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.effects import nodes
from toolc.analysis.types import Type
from toolc.node import Node

Path = tuple[core.Expr, tuple[core.Expr | str, ...]]
"""A root, and the labels, keys and indexes that lead on from it."""


def parts_of(node: Any) -> Iterator[Any]:
    """The expressions right inside a node."""
    for key, value in node.__dict__.items():
        if key in ("type", "span", "symbol", "binder", "targets"):
            continue
        members = value if isinstance(value, tuple) else (value,)
        for member in members:
            if isinstance(member, core.Expr):
                yield member
            elif isinstance(member, Node) and not isinstance(member, (Type, core.Symbol)):
                yield from parts_of(member)


def unnarrowed(node: core.Expr) -> core.Expr:
    """The node below what only narrows its type."""
    while isinstance(node, core.Narrowed):
        node = node.value
    return node


def conjuncts(node: core.Expr) -> tuple[core.Expr, ...]:
    """The parts of an `and`, in order; else the condition itself."""
    return node.operands if isinstance(node, core.Logic) and node.operator == "and" else (node,)


def path_of(node: core.Expr) -> Path:
    """The root of a path and its links from there: labels, keys and indexes."""
    links: list[core.Expr | str] = []
    current = unnarrowed(node)
    while True:
        match current:
            case core.Field():
                links.append(current.name)
                current = current.base
            case core.Item():
                links.append(current.key)
                current = current.base
            case core.At():
                links.append(current.index)
                current = current.base
            case core.Lookup():
                links.append(current.key)
                return current.table, tuple(reversed(links))
            case core.Narrowed() | core.Present():
                current = current.value
            case _:
                return current, tuple(reversed(links))


def has_gap(node: core.Expr) -> bool:
    """Whether a path goes on from what may be null."""
    while isinstance(node, (core.Field, core.Item, core.At, core.Narrowed)):
        node = node.value if isinstance(node, core.Narrowed) else node.base
    return isinstance(node, core.Present)


def mentions(node: core.Expr, symbol: core.Symbol) -> bool:
    """Whether an expression reads a local."""
    return any(isinstance(each, core.Local) and each.symbol is symbol for each in nodes(node))


def hint(node: core.Expr) -> str:
    """A name for a value, from what it is."""
    match unnarrowed(node):
        case core.Field() as field:
            return field.name
        case core.Lookup():
            return "row"
        case core.Local() as local:
            return local.symbol.name
        case core.CallFunction() | core.CallBuiltin():
            return "result"
        case core.Coalesce() as both:
            return hint(both.left)
    return "value"


def in_place(node: Node, place: core.Place) -> bool:
    """Whether a write to a local changes the list or dict that it holds."""
    if place.symbol is None:
        return False
    kind = t.strip(place.symbol.type)
    if isinstance(node, core.Append):
        return not place.path and isinstance(kind, t.List)
    if not isinstance(node, core.Assign) or len(place.path) != 1:
        return False
    step = place.path[0]
    if isinstance(step, core.KeyStep):
        return isinstance(kind, t.Dict)
    return isinstance(step, core.FieldStep) and isinstance(kind, (t.Record, t.Case))


def is_list(kind: Type) -> bool:
    return isinstance(t.strip(kind), t.List)


def grows(kind: Type) -> bool:
    """Whether values of the type may get ever larger."""
    bare = t.strip(t.required(kind))
    return bare != t.BOOL and bare != t.FLOAT and not isinstance(bare, (t.Literals, t.Enum))


def is_singleton(node: core.Expr) -> bool:
    """Whether it is null, true or false, which Python compares by identity."""
    return isinstance(node, core.Constant) and (node.value is None or isinstance(node.value, bool))


def nests(kind: Type) -> bool:
    """Whether values of a type hold what holds values: they may share parts without end."""
    bare = t.strip(t.required(kind))
    return bare == t.JSON or any(
        t.strip(t.required(part)) == t.JSON or t.parts(t.strip(t.required(part)))
        for part in t.parts(bare)
    )
