"""What the self-contained code of a tool runs: the environment's own call, on data of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from toolc_runtime.draws import Draws
from toolc_runtime.environment import Schemas
from toolc_runtime.episode import Episode, Prepared, Start
from toolc_runtime.schema import compile_parameters
from toolc_runtime.state import Base, Context, State
from toolc_runtime.values import parse_datetime


def answerer(
    state: Callable[[Context], State], function: Callable[..., Any], given: Mapping[str, Any]
) -> Callable[[Mapping[str, Any]], str]:
    """From arguments the text that the environment gives.

    `given` is JSON: the `tool`, its `parameters`, the `schemas` of tables and scalars, their rows
    and values in `tables` and `scalars`, the `clock`.
    """
    checks = Schemas(given["schemas"])
    base = Base(
        {name: checks.table(name, rows) for name, rows in given["tables"].items()},
        {name: checks.scalar(name, value) for name, value in given["scalars"].items()},
        parse_datetime(given["clock"]),
    )
    tool = given["tool"]
    names, check = compile_parameters(given["parameters"])
    start = Start(state, base, {tool: Prepared(function, names, check, (), False)})
    return lambda arguments: Episode(start, Draws(0)).call(tool, arguments)
