"""Runs the `test` blocks of a spec.

A test starts from the initial state and calls tools as a model does, through an episode: arguments
are checked, a failed call is rolled back, and invariants hold after every call.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.build import Ground, ground, report_invariants
from toolc.compiler import read_tables
from toolc.diagnostics.diagnostic import Diagnostic, Reporter
from toolc.emit.tools import Piece, globals_of
from toolc.node import Node, Span
from toolc.project import Unit, check_unit, failed, in_order
from toolc.scenarios.pieces import Pieces, pieces_of
from toolc.scenarios.play import broken_invariants
from toolc.scenarios.stage import Failed, Stage, stage
from toolc_runtime.budget import MAX_STEPS, METER
from toolc_runtime.errors import BudgetExceeded, Fail
from toolc_runtime.state import settle
from toolc_runtime.values import canonical, plain

MAX_TEST_STEPS = 2 * MAX_STEPS
"""Loop steps of all calls of one test."""
MAX_SHOWN = 500
"""Characters of a value that are shown."""


class Failure(NamedTuple):
    """What did not go as a test expects: where, and what happened instead."""

    span: Span
    message: str


class Outcome(NamedTuple):
    """How one test went; it passed where there are no failures."""

    test: core.TestDef
    failures: tuple[Failure, ...]


class Tested(NamedTuple):
    """The tests of one unit, in order; none are run where the diagnostics hold an error."""

    path: str
    outcomes: tuple[Outcome, ...]
    diagnostics: tuple[Diagnostic, ...]
    texts: dict[str, str]


def run_unit(unit: Unit, only: str = "", data: str | None = None) -> Tested:
    """Runs the tests of an environment whose title holds the text `only`.

    `data` is a folder in which data files are looked up instead of beside the spec.
    """
    texts = {path: source.text for path, source in unit.sources.items()}
    checked = check_unit(unit)
    diagnostics = list(checked.diagnostics)
    environment = checked.environment
    outcomes: tuple[Outcome, ...] = ()
    if environment is not None and not failed(diagnostics):
        bound = read_tables(environment, unit.entry, data)
        texts |= bound.texts
        diagnostics += bound.diagnostics
        if not failed(diagnostics):
            chosen = tuple(test for test in environment.tests if only in test.title)
            grounded = ground(environment, bound.rows)
            if grounded.base is not None and chosen:
                outcomes = _run(environment, grounded, chosen)
            diagnostics += [each for made in grounded.reports.values() for each in made.diagnostics]
    return Tested(unit.entry, outcomes, in_order(diagnostics), texts)


def _run(
    environment: core.EnvironmentDef, grounded: Ground, tests: tuple[core.TestDef, ...]
) -> tuple[Outcome, ...]:
    assert grounded.base is not None
    shared = pieces_of(environment.replace(scenarios=()))  # the invariants
    bodies = [Piece(_piece(i), (), test.body) for i, test in enumerate(tests) if test.body]
    pieces = Pieces((*shared.functions, *bodies), shared.constants)
    path = environment.paths[0]
    reporter = grounded.reports.setdefault(path, Reporter(path))
    with stage(environment, grounded.files, grounded.base, pieces) as made:
        report_invariants(made, reporter)
        if reporter.failed:
            return ()
        return tuple(
            Outcome(test, _Run(made, test).failures(_piece(index)))
            for index, test in enumerate(tests)
        )


def _piece(index: int) -> str:
    return f"test_{index}"


class _Stop(Exception):
    """A test that cannot go on; emitted code does not catch it."""


class _Run:
    """One test on a fresh episode."""

    def __init__(self, made: Stage, test: core.TestDef) -> None:
        self.stage = made
        self.test = test
        self.expectations = sorted(_expectations(test.body), key=lambda each: each.span)
        self.episode = made.episode(made.base)
        self.left = MAX_TEST_STEPS
        self.found: dict[object, Failure] = {}
        self.refusal: tuple[str, Any] = ("", None)  # the last call that failed, and with what

    def failures(self, piece: str) -> tuple[Failure, ...]:
        """Runs the test; the first failure of each expectation and of each invariant."""
        if not self.test.body:
            return ()
        names = self.stage.pieces
        names["expect"] = self.expect
        emitted = globals_of(self.stage.definition)
        for each in self.stage.definition.functions:
            if each.kind == "tool":
                names[emitted.names[each.name]] = self._caller(each.name, emitted.parameters(each))
        try:
            self.stage.evaluate(piece, self.episode.state)
        except Failed as failure:
            tool, value = self.refusal
            what = f"`{tool}`" if tool and value is failure.value else "a statement"
            self._note("end", self.test.span, f"{what} failed with {_shown(failure.value)}")
        except _Stop as stop:
            self._note("end", self.test.span, str(stop))
        return tuple(sorted(self.found.values()))

    def expect(self, index: int, holds: bool, actual: Any) -> None:
        """What an `expect` calls with the value that it looked at, or the failure."""
        refused = sys.exception() is not None
        if isinstance(sys.exception(), BudgetExceeded):
            raise _Stop(f"stopped: {_shown(actual)}")
        if holds:
            return
        node = self.expectations[index]
        if refused:
            message = f"failed with {_shown(actual)}"
        elif node.fails:
            message = f"did not fail, gave {_shown(actual)}"
        elif isinstance(node.value, core.Comparison) and len(node.value.operands) == 2:
            message = f"actual: {_shown(actual)}"
        else:
            message = "does not hold"
        self._note(index, node.span, message)

    def _note(self, what: object, span: Span, message: str) -> None:
        self.found.setdefault(what, Failure(span, message))

    # ------------------------------------------------------------ calls

    def _caller(self, tool: str, parameters: tuple[str, ...]) -> Callable[..., Any]:
        """What stands for a tool in a test: makes the call as a model would."""
        schema = self._schema(tool)
        properties = schema["properties"]
        known = dict(zip(parameters, properties, strict=True))
        required = schema.get("required", ())

        def left_out(name: str, value: Any) -> bool:
            return value is None and name not in required and "default" not in properties[name]

        def call(state: object, *values: Any, **named: Any) -> Any:
            given = dict(zip(parameters, values, strict=False)) | named
            arguments = {known[name]: plain(value) for name, value in given.items()}
            return self._call(
                tool, {name: v for name, v in arguments.items() if not left_out(name, v)}
            )

        return call

    def _schema(self, tool: str) -> dict[str, Any]:
        functions = (each["function"] for each in self.stage.environment.schemas)
        found: dict[str, Any] = next(f["parameters"] for f in functions if f["name"] == tool)
        return found

    def _call(self, tool: str, arguments: dict[str, Any]) -> Any:
        episode, context = self.episode, self.episode.state._toolc
        settle(episode.state)  # what the test itself wrote stays when the call fails
        before = context.steps
        episode.call(tool, arguments)
        self.left -= MAX_STEPS - context.steps
        made = episode.trace[-1]
        if made.writes:
            for name in broken_invariants(self.stage, episode.state):
                message = f"the invariant `{name}` does not hold after `{tool}`"
                self._note(("invariant", name), self.test.span, message)
        context.steps = before
        METER.set(context)
        if made.status == "fault" or self.left < 0:
            raise _Stop(f"stopped in `{tool}`: {_shown(made.result)}")
        if made.status == "ok":
            return made.result
        self.refusal = (tool, made.result)
        if made.status == "exhausted":
            raise BudgetExceeded(made.result)
        raise Fail(made.result)


def _expectations(node: object) -> Iterator[core.Expect]:
    """The expectations of a body, at any depth of its blocks."""
    if isinstance(node, tuple):
        for each in node:
            yield from _expectations(each)
    elif isinstance(node, core.Expect):
        yield node
    elif isinstance(node, Node) and not isinstance(node, (core.Expr, t.Type)):
        for name in node.fields:
            yield from _expectations(getattr(node, name))


def _shown(value: Any) -> str:
    text = canonical(value)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
