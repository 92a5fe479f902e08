"""A hash of a spec that is the same however its declarations and locals are called, in whichever
order they come, and however they are laid out.

What callers and data see is content: labels of fields, names of parameters, descriptions. Two specs
of one hash are one spec up to renaming. The converse may fail where declarations are the same but
for their names: which of them comes first is then told by the order in which they stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from toolc.node import Node
from toolc.syntax import tree

_TYPES = (tree.Alias, tree.Enum, tree.Record, tree.Union)
_VALUES = (tree.Const, tree.Table, tree.State, tree.Function, tree.Tool)
_BINDERS: Mapping[type, Callable[[Any], tuple[tree.Name, ...]]] = {
    tree.Let: lambda node: node.targets,
    tree.For: lambda node: node.targets,
    tree.ForClause: lambda node: node.targets,
    tree.Family: lambda node: node.targets,
    tree.Walk: lambda node: (node.binder,),
    tree.Step: lambda node: (node.binder,) if node.binder else (),
    tree.ExpressionCheck: lambda node: (node.name,),
}
"""What binds locals, and which."""


class _Space(NamedTuple):
    """What is known of declared names: marks by name, of types and of everything with a value."""

    types: Mapping[str, str]
    values: Mapping[str, str]


class _Within(NamedTuple):
    """Where a node stands: what is declared, and the item's own locals and parameters."""

    space: _Space
    locals: Mapping[str, int]
    parameters: frozenset[str]


def fingerprint(module: tree.Module) -> str:
    """The hash of a spec, 64 hexadecimal digits."""
    items = module.items
    marks = [type(item).__name__ for item in items]
    kinds = len(set(marks))
    for _ in items:  # each round looks one reference further
        space = _space(items, marks)
        marks = [_digest(_item(item, space)) for item in items]
        if len(set(marks)) == kinds:
            break
        kinds = len(set(marks))
    order = sorted(range(len(items)), key=lambda at: marks[at])
    numbers = {at: str(number) for number, at in enumerate(order)}
    space = _space(items, [numbers[at] for at in range(len(items))])
    return _digest([_item(items[at], space) for at in order])


def _digest(content: object) -> str:
    return hashlib.sha256(repr(content).encode("utf-8", "backslashreplace")).hexdigest()


def _space(items: tuple[tree.Item, ...], marks: list[str]) -> _Space:
    named = [
        (item, item.name.text, mark)
        for item, mark in zip(items, marks, strict=True)
        if isinstance(item, tree.NamedItem)
    ]
    return _Space(
        {name: mark for item, name, mark in named if isinstance(item, _TYPES)},
        {name: mark for item, name, mark in named if isinstance(item, _VALUES)},
    )


def _item(item: tree.Item, space: _Space) -> object:
    """An item as nested tuples, without its own name."""
    locals: dict[str, int] = {}
    for name in _bound(item):
        locals.setdefault(name, len(locals))
    parameters = frozenset(field.name.text for field in getattr(item, "parameters", ()))
    return _fields(item, _Within(space, locals, parameters), own=isinstance(item, tree.NamedItem))


def _bound(node: object) -> Iterator[str]:
    if isinstance(node, tuple):
        for each in node:
            yield from _bound(each)
    elif isinstance(node, Node):
        for name in _BINDERS.get(type(node), _none)(node):
            yield name.text
        for field in node.fields:
            yield from _bound(getattr(node, field))


def _none(node: object) -> tuple[tree.Name, ...]:
    return ()


def _plain(node: object, within: _Within) -> object:
    """Anything in the tree as nested tuples of texts."""
    if isinstance(node, tuple) and not isinstance(node, Node):
        return tuple(_plain(each, within) for each in node)
    if isinstance(node, Node):
        return _SHOWN.get(type(node), _fields)(node, within)
    return node


def _fields(node: Node, within: _Within, own: bool = False) -> object:
    binders = [name.text for name in _BINDERS.get(type(node), _none)(node)]
    skipped = {"span", "name"} if own else {"span"}
    shown = (
        _plain(getattr(node, name), within)
        if name not in ("targets", "binder") and not (binders and name == "name")
        else tuple(within.locals[binder] for binder in binders)
        for name in node.fields
        if name not in skipped
    )
    return (type(node).__name__, *shown)


def _named(name: str, marks: Mapping[str, str]) -> tuple[str, str]:
    return ("declared", marks[name]) if name in marks else ("", name)


def _ref(node: Any, within: _Within) -> object:
    name, space = node.name, within.space
    known = (space.values.get(name, ""), space.types.get(name, ""))
    if name in within.locals:
        return ("local", within.locals[name], *known)
    if name in within.parameters or not any(known):
        return ("", name, *known)
    return ("declared", *known)


def _call(node: Any, within: _Within) -> object:
    base = node.base
    called = (
        _named(base.name, within.space.values)
        if isinstance(base, tree.Ref)
        else _plain(base, within)
    )
    return ("Call", called, _plain(node.arguments, within))


def _tables(node: Any, within: _Within, field: str) -> object:
    names = getattr(node, field)
    shown = names and tuple(_named(name.text, within.space.values) for name in names)
    rest = (_plain(getattr(node, f), within) for f in node.fields if f not in ("span", field))
    return (type(node).__name__, shown, *rest)


_SHOWN: Mapping[type, Callable[[Any, _Within], object]] = {
    tree.Name: lambda node, within: node.text,
    tree.Number: lambda node, within: ("Number", repr(node.value)),
    tree.NamedType: lambda node, within: ("NamedType", _named(node.name, within.space.types)),
    tree.RefType: lambda node, within: (
        "RefType",
        _named(node.table.text, within.space.values),
    ),
    tree.Ref: _ref,
    tree.Call: _call,
    tree.Tools: partial(_tables, field="names"),
    tree.UnchangedCheck: partial(_tables, field="tables"),
}
