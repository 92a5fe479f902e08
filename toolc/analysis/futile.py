"""Code that is in order and yet achieves nothing: tools without effect, loops that never end in
time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.node import Node, Span
from toolc_runtime.budget import MAX_STEPS


def idle_tools(functions: Iterable[core.Function]) -> Iterator[core.Function]:
    """The tools that change nothing and tell nothing."""
    for function in functions:
        if function.kind == "tool" and function.body is not None:
            silent = t.strip(function.result) == t.NULL
            if silent and not function.effects.writes:
                yield function


def long_loops(body: Any, turns: int = 1) -> Iterator[tuple[Span, int]]:
    """The innermost loops that alone take more steps than a call has, with how many; of loops
    whose lengths are known, each in the one around it. `turns` are those of the loops around."""
    if isinstance(body, tuple):
        for part in body:
            yield from long_loops(part, turns)
        return
    if not isinstance(body, Node) or isinstance(body, (core.Symbol, t.Type)):
        return
    if isinstance(body, core.For):
        yield from long_loops(body.source, turns)
        turns *= _length(body.source)
        yield from _judged(body.source.span, turns, (body.condition, body.body))
    elif isinstance(body, (core.Comprehension, core.DictComprehension)):
        yield from _long_comprehensions(body, turns)
    else:
        for name in body.fields:
            yield from long_loops(getattr(body, name), turns)


def _long_comprehensions(
    body: core.Comprehension | core.DictComprehension, turns: int
) -> Iterator[tuple[Span, int]]:
    span = body.span
    conditional = False  # what a condition lets through is not known
    for clause in body.clauses:
        if isinstance(clause, core.Where):
            conditional = True
        elif not conditional:
            yield from long_loops(clause.source, turns)
            turns *= _length(clause.source)
            span = clause.source.span
    inner = (
        (body.element, body.order)
        if isinstance(body, core.Comprehension)
        else (body.key, body.value)
    )
    yield from _judged(span, turns, () if conditional else inner)


def _judged(span: Span, turns: int, inner: Any) -> Iterator[tuple[Span, int]]:
    found = list(long_loops(inner, turns))
    if found or turns <= MAX_STEPS:
        yield from found
    else:
        yield span, turns


def _length(source: core.Expr) -> int:
    """How many turns a loop over a source takes at least, where that is known; else 1."""
    match source:
        case core.ListOf(items=items):
            return max(len(items), 1)
        case core.CallBuiltin(name="range", arguments=(core.Constant(value=int() as stop),)):
            return max(stop, 1)
        case core.CallBuiltin(
            name="range",
            arguments=(core.Constant(value=int() as start), core.Constant(value=int() as stop)),
        ):
            return max(stop - start, 1)
    return 1
