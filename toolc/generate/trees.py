"""Short names for the trees that generated specs are made of, and rewriting them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar, cast

from toolc.importing.spec import label, plain
from toolc.node import NOWHERE, Node
from toolc.syntax import tree

Part = str | tree.Expr
"""A piece of a text: as it stands, or what an expression gives."""

Tree = TypeVar("Tree")


def ref(name: str) -> tree.Expr:
    return tree.Ref(NOWHERE, name)


def attribute(base: tree.Expr, name: str) -> tree.Expr:
    return tree.Attribute(NOWHERE, base, label(name))


def index(base: tree.Expr, *indices: tree.Expr) -> tree.Expr:
    return tree.Index(NOWHERE, base, indices)


def call(function: str, *values: tree.Expr) -> tree.Call:
    arguments = tuple(tree.Argument(NOWHERE, None, value) for value in values)
    return tree.Call(NOWHERE, ref(function), arguments)


def named_call(function: str, arguments: Iterable[tuple[str, tree.Expr]]) -> tree.Call:
    made = tuple(tree.Argument(NOWHERE, label(name), value) for name, value in arguments)
    return tree.Call(NOWHERE, ref(function), made)


def compare(left: tree.Expr, operator: str, right: tree.Expr) -> tree.Expr:
    return tree.Compare(NOWHERE, (left, right), (operator,))


def binary(left: tree.Expr, operator: str, right: tree.Expr) -> tree.Expr:
    return tree.Binary(NOWHERE, left, operator, right)


def both(conditions: Iterable[tree.Expr]) -> tree.Expr | None:
    """All of the conditions; None of none."""
    made: tree.Expr | None = None
    for condition in conditions:
        made = condition if made is None else binary(made, "and", condition)
    return made


def given(condition: tree.Expr, then: tree.Expr, otherwise: tree.Expr) -> tree.Expr:
    return tree.Conditional(NOWHERE, condition, then, otherwise)


def value(content: Any) -> tree.Expr:
    """The literal of a JSON value."""
    return plain(content)


NULL = tree.Null(NOWHERE)


def text(*parts: Part) -> tree.Expr:
    """A text of pieces, interpolated where one is an expression."""
    joined: list[str | tree.Hole] = []
    for part in parts:
        if not isinstance(part, str):
            joined.append(tree.Hole(NOWHERE, part, ""))
        elif joined and isinstance(joined[-1], str):
            joined[-1] += part
        elif part:
            joined.append(part)
    if all(isinstance(part, str) for part in joined):
        return tree.String(NOWHERE, "".join(cast("list[str]", joined)))
    return tree.Interpolation(NOWHERE, tuple(joined))


def comprehension(
    element: tree.Expr,
    name: str,
    source: tree.Expr,
    conditions: Iterable[tree.Expr] = (),
    order: Iterable[tuple[tree.Expr, bool]] = (),
) -> tree.Comprehension:
    """`element for name in source if …  by …`; an order is an expression and whether it falls."""
    clauses: list[tree.Clause] = [tree.ForClause(NOWHERE, (label(name),), source)]
    clauses += [tree.IfClause(NOWHERE, condition) for condition in conditions]
    keys = tuple(tree.SortKey(NOWHERE, key, falls) for key, falls in order)
    return tree.Comprehension(NOWHERE, element, tuple(clauses), keys)


def listed(inner: tree.Comprehension) -> tree.Expr:
    return tree.ListComprehension(NOWHERE, inner)


def items(*members: tree.Expr) -> tree.Expr:
    return tree.ListLiteral(NOWHERE, members)


def record(entries: Iterable[tuple[str, tree.Expr]]) -> tree.Expr:
    made = tuple(tree.Entry(NOWHERE, label(name), each) for name, each in entries)
    return tree.Object(NOWHERE, made)


def or_fail(expression: tree.Expr, message: tree.Expr) -> tree.Expr:
    return tree.OrFail(NOWHERE, expression, message)


# ---------------------------------------------------------------- statements


def let(name: str, expression: tree.Expr) -> tree.Statement:
    return tree.Let(NOWHERE, (label(name),), None, expression, False)


def give(expression: tree.Expr) -> tree.Statement:
    return tree.Return(NOWHERE, expression)


def require(condition: tree.Expr, message: tree.Expr) -> tree.Statement:
    return tree.Require(NOWHERE, condition, message)


def assign(place: tree.Expr, expression: tree.Expr) -> tree.Statement:
    return tree.Assign(NOWHERE, place, "=", expression)


def block(*statements: tree.Statement) -> tree.Block:
    return tree.Block(NOWHERE, statements)


# ---------------------------------------------------------------- rewriting


def rewritten(node: Tree, change: Callable[[Node], Node | None]) -> Tree:
    """The tree with each node replaced by what `change` makes of it; where that is None, by the
    node with its parts rewritten. What a change makes is not gone into."""
    if isinstance(node, Node):
        made = change(node)
        if made is not None:
            return cast("Tree", made)
        fields = {name: rewritten(getattr(node, name), change) for name in node.fields}
        if all(fields[name] is getattr(node, name) for name in node.fields):
            return node
        return cast("Tree", type(node)(**fields))
    if isinstance(node, tuple) and type(node) is tuple:
        members = tuple(rewritten(each, change) for each in node)
        same = all(a is b for a, b in zip(node, members, strict=True))
        return node if same else cast("Tree", members)
    return node
