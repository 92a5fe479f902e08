"""What a spec declares and never uses.

Locals are told by the typed bodies, where every name is resolved. Declarations are told by the
syntax, where every name still stands: one is in use when a tool, a scenario, a test or an invariant
leads to it. Of a name that is shadowed, any mention counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from toolc.analysis import core, effects
from toolc.analysis import types as t
from toolc.analysis.declare import File
from toolc.node import Node
from toolc.syntax import tree

ROOTS = (tree.Tool, tree.Scenario, tree.Test, tree.Invariant)
KINDS: dict[type, str] = {
    tree.Const: "constant",
    tree.Alias: "type",
    tree.Enum: "enum",
    tree.Record: "record",
    tree.Union: "union",
    tree.Table: "table",
    tree.State: "state",
    tree.Function: "function",
}
"""What may be unused, and what a message calls it."""


def unused_locals(environment: core.EnvironmentDef) -> set[int]:
    """The parameters and the single names of `let` and `var` that nothing reads, by `id`.

    A name that starts with `_` is meant to be unused. So is one whose value is bound for its
    effect: what may fail with a message of its own, or calls a function that writes. A tool that
    reads none of its parameters only plays its part (a log, a hand-over), and keeps its schema.
    """
    bodies = (environment.functions, environment.scenarios, environment.tests)
    read = {id(node.symbol) for node in _read(bodies) if isinstance(node, core.Local)}
    writers = {each.name for each in environment.functions if each.effects.writes}
    found = [
        node.targets[0]
        for node in effects.nodes(bodies)
        if isinstance(node, core.Let) and len(node.targets) == 1 and not _acts(node.value, writers)
    ]
    for function in environment.functions:
        symbols = [each.symbol for each in function.parameters]
        plays = function.kind == "tool" and not any(id(each) in read for each in symbols)
        found += [] if function.body is None or plays else symbols
    return {id(each) for each in found if not each.name.startswith("_")} - read


def _acts(value: core.Expr, writers: set[str]) -> bool:
    return any(
        isinstance(node, core.OrFail)
        or (isinstance(node, core.CallFunction) and node.name in writers)
        for node in effects.nodes(value)
    )


def _read(value: Any) -> Iterator[Node]:
    """Every node that is read: of a local that is written, only what leads to the place."""
    if isinstance(value, tuple):
        for part in value:
            yield from _read(part)
    elif isinstance(value, core.Place) and value.root == "local":
        yield from _read(value.path)
    elif isinstance(value, Node) and not isinstance(value, (core.Symbol, t.Type)):
        yield value
        for name in value.fields:
            yield from _read(getattr(value, name))


def unused_declarations(file: File) -> Iterator[tuple[tree.NamedItem, str]]:
    """The declarations of an environment's file that nothing leads to, and what each is.

    None where no tool has a body yet: there is nothing yet that could use them.
    """
    items = file.module.items
    if not any(isinstance(item, tree.Tool) and item.body is not None for item in items):
        return
    named: dict[str, list[tree.NamedItem]] = {}
    for item in items:
        if isinstance(item, tree.NamedItem) and type(item) in KINDS:
            named.setdefault(item.name.text, []).append(item)
    reached: set[int] = set()
    waiting: list[tree.Item] = [item for item in items if isinstance(item, ROOTS)]
    while waiting:
        for name in _mentions(waiting.pop()):
            for item in named.get(name, ()):
                if id(item) not in reached:
                    reached.add(id(item))
                    waiting.append(item)
    for item in items:
        if isinstance(item, tree.NamedItem) and type(item) in KINDS and id(item) not in reached:
            yield item, KINDS[type(item)]


def _mentions(value: Any) -> Iterator[str]:
    """The names that a piece of syntax refers to."""
    if isinstance(value, tuple):
        for part in value:
            yield from _mentions(part)
    elif isinstance(value, Node):
        match value:
            case tree.Ref(name=name) | tree.NamedType(name=name):
                yield name
            case tree.RefType(table=table):
                yield table.text
            case tree.UnchangedCheck(tables=tables):
                yield from (table.text for table in tables)
        for field in value.fields:
            yield from _mentions(getattr(value, field))
