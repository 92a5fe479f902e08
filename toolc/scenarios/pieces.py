"""The expressions and blocks of a scenario as functions that the compiler calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.emit.tools import Piece

Body = core.Expr | core.Block


def part(scenario: int, *place: object) -> str:
    """The name of a scenario's piece: `s0_t1_answer`."""
    return "_".join([f"s{scenario}", *map(str, place)])


def invariant(index: int) -> str:
    """The name of an invariant's piece."""
    return f"invariant_{index}"


class Pieces(NamedTuple):
    """Functions to be emitted, and the values of those parts that are constant."""

    functions: tuple[Piece, ...]
    constants: dict[str, Any]


def pieces_of(environment: core.EnvironmentDef) -> Pieces:
    """Every piece of the invariants and the scenarios. Each takes the state, the values of the
    family's binders, and those of the steps before it that have a binder, in order."""
    functions = [
        Piece(invariant(index), (), each.condition)
        for index, each in enumerate(environment.invariants)
    ]
    constants: dict[str, Any] = {}
    for index, scenario in enumerate(environment.scenarios):
        for place, parameters, body in _parts(scenario):
            name = part(index, *place)
            if _is_constant(body):
                constants[name] = _constant(body)
            else:
                functions.append(Piece(name, parameters, body))
    return Pieces(tuple(functions), constants)


def _is_constant(body: object) -> bool:
    if isinstance(body, core.ListOf):
        return all(map(_is_constant, body.items))
    return isinstance(body, core.Constant)


def _constant(body: Any) -> Any:
    return [_constant(item) for item in body.items] if isinstance(body, core.ListOf) else body.value


Part = tuple[tuple[object, ...], tuple[core.Symbol, ...], Body]


def _parts(scenario: core.ScenarioDef) -> Iterator[Part]:
    binders = scenario.targets
    if scenario.source is not None and not isinstance(scenario.source, core.TableRef):
        yield ("source",), (), scenario.source
    yield from _present(("condition",), binders, scenario.condition)
    yield from _present(("system",), binders, scenario.system)
    yield from _present(("given",), binders, scenario.given)
    for number, turn in enumerate(scenario.turns):
        yield from _present((f"t{number}", "given"), binders, turn.given)
        yield (f"t{number}", "user"), binders, turn.user
        for index, step in enumerate(turn.steps):
            place = (f"t{number}", f"step{index}")
            yield from _present((*place, "question"), binders, step.question)
            values = tuple(value for _, value in step.arguments)
            listed = core.ListOf(step.span, t.List(t.JSON), values)
            yield (*place, "arguments"), binders, listed
            yield from _present((*place, "error"), binders, step.error)
            yield from _present((*place, "equals"), binders, step.equals)
            if step.binder is not None:
                binders = (*binders, step.binder)
        yield from _present((f"t{number}", "answer"), binders, turn.answer)
        yield from _present((f"t{number}", "reply"), binders, turn.reply)


def _present(
    place: tuple[object, ...], binders: tuple[core.Symbol, ...], body: Body | None
) -> Iterator[Part]:
    if body:
        yield place, binders, body
