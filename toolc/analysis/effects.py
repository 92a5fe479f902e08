"""What functions read and write, and what they cost, from their typed bodies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.analysis.builtins import BUILTINS
from toolc.node import Node


def nodes(value: Any) -> Iterator[Node]:
    """Every node of a typed tree, outside in; types and symbols are not entered."""
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, tuple):
            stack.extend(reversed(node))
        elif isinstance(node, Node) and not isinstance(node, (core.Symbol, t.Type)):
            yield node
            held = node.__dict__
            stack.extend(held[name] for name in reversed(node.fields))


def calls(body: Any) -> list[core.CallFunction]:
    """The calls of declared functions in a body, in order."""
    return [node for node in nodes(body) if isinstance(node, core.CallFunction)]


def own_effects(body: Any) -> core.Effects:
    """What a body reads and writes itself, without the functions that it calls."""
    reads: dict[str, None] = {}
    writes: dict[str, None] = {}
    draws = clock = False
    for node in nodes(body):
        if isinstance(node, (core.TableRef, core.ScalarRef)):
            reads[node.name] = None
        elif isinstance(node, core.Place) and node.root != "local":
            writes[node.name] = None
        elif isinstance(node, core.Insert):
            writes[node.table] = None
        elif isinstance(node, core.CallBuiltin) and BUILTINS[node.name].state:
            clock = clock or node.name in ("now", "today")
            draws = draws or node.name not in ("now", "today")
    return core.Effects(tuple(sorted(reads)), tuple(sorted(writes)), draws, clock)


def with_callees(functions: Mapping[str, core.Function]) -> dict[str, core.Effects]:
    """The effects of every function, those of what it calls included. Calls have no cycles."""
    found: dict[str, core.Effects] = {}

    def visit(name: str) -> core.Effects:
        if name not in found:
            own = functions[name].effects
            below = [
                visit(call.name) for call in calls(functions[name].body) if call.name in functions
            ]
            found[name] = core.Effects(
                tuple(sorted({*own.reads, *(read for effects in below for read in effects.reads)})),
                tuple(
                    sorted({*own.writes, *(write for effects in below for write in effects.writes)})
                ),
                own.draws or any(effects.draws for effects in below),
                own.clock or any(effects.clock for effects in below),
            )
        return found[name]

    for name in functions:
        visit(name)
    return found


def recursive(
    functions: Mapping[str, core.Function],
) -> list[tuple[core.Function, core.CallFunction]]:
    """Functions that reach themselves, each with the call that does."""
    reached: dict[str, set[str]] = {}

    def reach(name: str) -> set[str]:
        if name not in reached:
            reached[name] = set()
            for call in calls(functions[name].body):
                if call.name in functions:
                    reached[name] |= {call.name, *reach(call.name)}
        return reached[name]

    for name in functions:
        reach(name)
    changed = True
    while changed:
        changed = False
        for name, names in reached.items():
            wider = names.union(*(reached[other] for other in names)) if names else names
            if wider != names:
                reached[name], changed = set(wider), True
    return [
        (
            function,
            next(
                call
                for call in calls(function.body)
                if call.name == name or name in reached.get(call.name, ())
            ),
        )
        for name, function in functions.items()
        if name in reached[name]
    ]


MAX_CALLS = 10_000


def call_counts(functions: Mapping[str, core.Function]) -> dict[str, int]:
    """How many function calls one call makes at most, loops counted once."""
    found: dict[str, int] = {}

    def count(name: str) -> int:
        if name not in found:
            found[name] = sum(
                1 + count(call.name)
                for call in calls(functions[name].body)
                if call.name in functions
            )
        return found[name]

    for name in functions:
        count(name)
    return found
