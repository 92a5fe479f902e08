"""The typed tree to Python: what a good programmer would write for it.

An expression becomes a Python expression and, where it needs statements of its own (`else fail`,
`??`, a conditional with such parts), statements before it, in the order of evaluation. Where
those would run too early (in a comprehension, behind `and`), loops and branches are written out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from toolc.analysis import core
from toolc.emit import py
from toolc.emit.lowering.calls import Calls
from toolc.emit.lowering.globals import Globals
from toolc.emit.lowering.operators import Operators
from toolc.emit.lowering.paths import Paths
from toolc.emit.lowering.shapes import state_of
from toolc.emit.lowering.statements import Statements
from toolc.emit.lowering.values import Values
from toolc.emit.tidy import names_in, tidy
from toolc.node import Node


class Lowered(Node):
    """A body's statements, its parameters' names, and the imported names that it refers to."""

    body: py.Block
    parameters: tuple[str, ...]
    used: frozenset[str]


class Lowering(Operators, Values, Paths, Calls, Statements):
    """The lowering of one body."""


Lowering.expressions = {
    core.Constant: Lowering.constant,
    core.Local: Lowering.local,
    core.ConstantRef: lambda self, node: py.Name(self.globals.constants[node.name]),
    core.ScalarRef: lambda self, node: state_of(node.name),
    core.TableRef: lambda self, node: state_of(node.name),
    core.Field: Lowering.field,
    core.Lookup: Lowering.lookup,
    core.Item: Lowering.item,
    core.At: Lowering.at,
    core.SliceOf: Lowering.slice_,
    core.TupleOf: Lowering.tuple_,
    core.Arithmetic: Lowering.arithmetic,
    core.Negate: Lowering.negate,
    core.Not: Lowering.not_,
    core.Logic: Lowering.logic,
    core.Comparison: Lowering.comparison,
    core.Contains: Lowering.contains,
    core.Conditional: Lowering.conditional,
    core.Coalesce: Lowering.coalesce,
    core.OrFail: Lowering.or_fail,
    core.Absent: Lowering.absent,
    core.Present: Lowering.present,
    core.CallFunction: Lowering.call_function,
    core.CallBuiltin: Lowering.call_builtin,
    core.TypeArgument: Lowering.type_argument,
    core.ListOf: Lowering.list_,
    core.RecordOf: Lowering.record,
    core.DictOf: Lowering.dict_,
    core.Text: Lowering.text,
    core.Comprehension: Lowering.comprehension,
    core.DictComprehension: Lowering.gathered,
    core.WalkOf: Lowering.walk,
    core.ToFloat: Lowering.to_float,
    core.ToDecimal: Lowering.to_decimal,
    core.Narrowed: lambda self, node: self.expr(node.value),
}
Lowering.statement_rules = {
    core.Let: Lowering.let,
    core.Assign: Lowering.assign,
    core.If: Lowering.if_,
    core.For: Lowering.for_,
    core.Match: Lowering.match,
    core.Require: Lowering.require,
    core.FailWith: Lowering.fail_with,
    core.Return: Lowering.return_,
    core.Continue: lambda self, node: self.out.append(py.Continue()),
    core.Break: lambda self, node: self.out.append(py.Break()),
    core.Insert: Lowering.insert,
    core.Append: Lowering.append,
    core.Remove: Lowering.remove,
    core.Delete: Lowering.delete,
    core.Evaluate: Lowering.evaluate,
    core.Advance: Lowering.advance,
    core.Expect: Lowering.expect,
}


def lower_body(
    body: core.Block | core.Expr, parameters: Sequence[core.Symbol], globals_: Globals
) -> Lowered:
    """A function's body; an expression's value is returned."""
    block = body if isinstance(body, tuple) else (core.Return(body.span, body),)
    lowering = Lowering(globals_, block)
    names = tuple(lowering.scope.bind(symbol) for symbol in parameters)
    made = tidy(lowering.statements(block))
    used = {name for name in names_in(made) if name in lowering.imported}
    return Lowered(made, names, frozenset(used | _exceptions(made)))


def _exceptions(block: py.Block) -> set[str]:
    """The exceptions that `except` clauses name."""
    found: set[str] = set()
    stack: list[Any] = [block]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, py.Try):
            found.update(name.split()[0] for name, _ in node.handlers)
            stack.extend((node.body, node.handlers))
        elif isinstance(node, Node):
            stack.extend(value for value in node.__dict__.values() if isinstance(value, tuple))
    return found
