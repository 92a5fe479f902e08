"""Last touches to lowered statements: what a reader, or a linter, would write shorter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolc.emit import py
from toolc.node import Node, same


def names_in(root: Any) -> Iterator[str]:
    """Every name that a tree refers to; not those that it only assigns."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, py.Name):
            yield node.id
        elif isinstance(node, py.Assign):
            stack.extend((node.value, node.annotation))
            stack.extend(target for target in node.targets if not isinstance(target, py.Name))
        elif isinstance(node, Node):
            stack.extend(node.__dict__.values())


def loop_names(root: Any) -> Iterator[str]:
    """The targets of every `for` statement of a tree."""
    stack = [root]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, py.Statement):
            if isinstance(node, py.ForLoop):
                yield from node.targets
            stack.extend(node.__dict__.values())


def tidy(block: py.Block) -> py.Block:
    """The same statements, with nested conditions joined and needless branches folded."""
    made: list[py.Statement] = []
    for statement in block:
        made.extend(_tidied(statement))
    return _returns(_member(tuple(made)))


def _tidied(statement: py.Statement) -> py.Block:
    match statement:
        case py.If():
            return (_if(statement),)
        case py.ForLoop():
            return (_loop(statement),)
        case py.Try():
            handlers = tuple((name, tidy(body)) for name, body in statement.handlers)
            return (py.Try(tidy(statement.body), handlers),)
    return (statement,)


def _loop(loop: py.ForLoop) -> py.Statement:
    """Names that the body does not use get an underscore."""
    used = set(names_in(loop.body))
    targets = tuple(
        name if name in used or name.startswith("_") else f"_{name}" for name in loop.targets
    )
    body = tidy(loop.body)
    if body and isinstance(body[-1], py.Continue):
        body = body[:-1]
    return py.ForLoop(targets, loop.source, body)


def _if(statement: py.If) -> py.Statement:
    branches: list[tuple[py.Expr, py.Block]] = []
    for condition, body in statement.branches:
        body = tidy(body)
        if branches and same(branches[-1][1], body):
            condition = _either(branches.pop()[0], condition)
        branches.append((condition, body))
    otherwise = tidy(statement.otherwise)
    if not otherwise:
        condition, body = branches[-1]
        if len(body) == 1 and isinstance(body[0], py.If):
            inner = body[0]
            if len(inner.branches) == 1 and not inner.otherwise:
                branches[-1] = (_both(condition, inner.branches[0][0]), inner.branches[0][1])
    if len(otherwise) == 1 and isinstance(otherwise[0], py.If):
        inner = otherwise[0]
        return _if(py.If((*branches, *inner.branches), inner.otherwise))
    return _choice(py.If(tuple(branches), otherwise))


def _choice(statement: py.If) -> py.Statement:
    """`x = a if c else b`, where both branches only assign the same name."""
    if len(statement.branches) != 1:
        return statement
    condition, body = statement.branches[0]
    match body, statement.otherwise:
        case (
            (py.Assign(targets=(py.Name() as name,), annotation=None) as then,),
            (py.Assign(targets=(py.Name() as other,), annotation=None) as otherwise,),
        ) if name.id == other.id and then.value is not None and otherwise.value is not None:
            return py.Assign((name,), py.IfElse(condition, then.value, otherwise.value))
    return statement


def _either(left: py.Expr, right: py.Expr) -> py.Expr:
    return py.Logic("or", (*_operands(left, "or"), *_operands(right, "or")))


def _both(left: py.Expr, right: py.Expr) -> py.Expr:
    return py.Logic("and", (*_operands(left, "and"), *_operands(right, "and")))


def _operands(value: py.Expr, operator: str) -> tuple[py.Expr, ...]:
    if isinstance(value, py.Logic) and value.operator == operator:
        return value.operands
    return (value,)


def _member(block: py.Block) -> py.Block:
    """`return found[0]` for `result = found[0]` and `return result`."""
    match block[-2:]:
        case (
            py.Assign(targets=(py.Name() as name,), value=py.Subscript() as value),
            py.Return(value=py.Name() as result),
        ) if name.id == result.id and not isinstance(value.indexes[0], (py.Str, py.Slice)):
            return (*block[:-2], py.Return(value))
    return block


def _returns(block: py.Block) -> py.Block:
    """`return c` for a branch that returns True before a `return False`, and the like."""
    if len(block) < 2 or not isinstance(block[-1], py.Return):
        return block
    last = _truth(block[-1])
    before = block[-2]
    if last is None:
        return block
    if isinstance(before, py.If) and len(before.branches) == 1 and not before.otherwise:
        condition, body = before.branches[0]
        if len(body) == 1 and _truth(body[0]) is (not last):
            value = py.negate(condition) if last else condition
            return (*block[:-2], py.Return(value))
    if isinstance(before, py.ForLoop) and len(before.body) == 1:
        inner = before.body[0]
        if isinstance(inner, py.If) and len(inner.branches) == 1 and not inner.otherwise:
            condition, body = inner.branches[0]
            if len(body) == 1 and _truth(body[0]) is (not last):
                each = py.For(before.targets, before.source)
                element = py.negate(condition) if last else condition
                made = py.Comprehension("generator", element, (each,))
                return (*block[:-2], py.Return(py.call("all" if last else "any", made)))
    return block


def _truth(statement: py.Statement) -> bool | None:
    """Whether it returns True or False; None for anything else."""
    if isinstance(statement, py.Return) and isinstance(statement.value, py.Literal):
        return {"True": True, "False": False}.get(statement.value.text)
    return None
