"""Compiled code means what the reference evaluator says, and is closed and as Black has it."""

from __future__ import annotations

import copy
import types
from datetime import datetime
from random import Random
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests import reference
from tests.programs import Program
from toolc.analysis import core
from toolc.analysis.check import check
from toolc.emit.closed import check_closed, prove_source
from toolc.emit.tools import emit_tools
from toolc.syntax.parser import parse
from toolc_runtime.draws import Draws
from toolc_runtime.errors import BudgetExceeded, Fail
from toolc_runtime.state import Base, Context, Source

ARGUMENTS: tuple[tuple[Any, ...], ...] = (("a", 1, [3, 1, 2]), ("zz", -4, []))


def compiled(text: str) -> core.EnvironmentDef | None:
    """The environment of a spec; None where the checker refuses it."""
    parsed = parse(text, "sample.toolc")
    assert parsed.module is not None, (text, parsed.diagnostics)
    return check({"sample.toolc": parsed.module}).environment


def initial(environment: core.EnvironmentDef) -> dict[str, Any]:
    """The state that an environment starts with, as plain values."""
    state: dict[str, Any] = {scalar.name: scalar.value for scalar in environment.scalars}
    for table in environment.tables:
        state[table.name] = {row[table.keys[0][0]]: row for _, row in table.rows}
    return copy.deepcopy(state)


def run_compiled(
    environment: core.EnvironmentDef, source: str, arguments: tuple[Any, ...]
) -> tuple[str, Any, Any]:
    """What the emitted tool does: its status, its result and the state after."""
    module = types.ModuleType("sample_tools")
    exec(compile(source, "tools.py", "exec"), module.__dict__)
    start = initial(environment)
    tables = {table.name: Source(start[table.name]) for table in environment.tables}
    scalars = {scalar.name: start[scalar.name] for scalar in environment.scalars}
    untouched = copy.deepcopy(start)
    state = module.State(Context(Base(tables, scalars, datetime(2024, 1, 1)), Draws(0)))
    try:
        status, result = "ok", module.TOOLS["run"].function(state, *copy.deepcopy(arguments))
    except BudgetExceeded:
        status, result = "exhausted", None
    except Fail as failure:
        status, result = "failed", failure.value
    assert start == untouched, "emitted code changed a value that others share"
    after = {name: dict(getattr(state, name).items()) for name in tables}
    return status, result, after | {name: getattr(state, name) for name in scalars}


def run_reference(
    environment: core.EnvironmentDef, arguments: tuple[Any, ...]
) -> tuple[str, Any, Any]:
    """What the meaning of the typed tree says."""
    state = initial(environment)
    try:
        status, result = "ok", reference.call(environment, state, "run", *copy.deepcopy(arguments))
    except reference.Exhausted:
        status, result = "exhausted", None
    except reference.Failure as failure:
        status, result = "failed", failure.value
    return status, result, state


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_compiled_code_means_what_the_typed_tree_means(seed: int) -> None:
    environment = compiled(Program(Random(seed)).text)
    assume(environment is not None)
    assert environment is not None
    source = emit_tools(environment)
    assert check_closed(source) == []
    for arguments in ARGUMENTS:
        found = run_compiled(environment, source, arguments)
        assert found == run_reference(environment, arguments), source


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32))
def test_black_changes_nothing(seed: int) -> None:
    environment = compiled(Program(Random(seed)).text)
    assume(environment is not None)
    assert environment is not None
    source = emit_tools(environment)
    assert prove_source(source) == []
