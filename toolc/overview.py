"""A compiled environment at a glance, as JSON."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from toolc.analysis.builtins import BUILTINS
from toolc_runtime.environment import Environment
from toolc_runtime.task import Task

Json = dict[str, Any]

_DRAWS = frozenset(
    each.python for each in BUILTINS.values() if each.state and each.name not in ("now", "today")
)


def overview(environment: Environment, source: str) -> Json:
    """Tools, data and scenarios of an environment; `source` is the text of its `tools.py`.

    `others` are the tools of other environments that some task offers, each with its environment.
    """
    code = _read(source)
    schemas = {schema["function"]["name"]: schema["function"] for schema in environment.schemas}
    tables, scalars, clock = environment.base
    return {
        "name": environment.name,
        "version": environment.version,
        "description": code.description,
        "clock": clock.isoformat(),
        "seed": environment.seed,
        "tools": [
            {
                "name": name,
                "signature": code.signature(
                    name, tool.function.__name__, schemas[name]["parameters"]["properties"]
                ),
                "description": schemas[name].get("description", ""),
                "reads": list(tool.reads),
                "writes": list(tool.writes),
                "draws": code.draws(tool.function.__name__),
            }
            for name, tool in environment.tools.items()
        ],
        "others": {name: other.name for name, other in environment.guests.items()},
        "tables": {name: len(table.rows) for name, table in tables.items()},
        "state": list(scalars),
        "scenarios": [_scenario(name, group) for name, group in _grouped(environment.tasks)],
    }


# ---------------------------------------------------------------- code


class _Code(NamedTuple):
    """What `tools.py` says of its functions."""

    description: str
    functions: dict[str, ast.FunctionDef]

    def signature(self, name: str, function: str, parameters: Iterable[str]) -> str:
        """A tool as it is called: without the state, its parameters named as models name them."""
        node = self.functions[function]
        arguments = node.args.args[1:]
        defaults = [None] * (len(arguments) - len(node.args.defaults)) + list(node.args.defaults)
        shown = ", ".join(
            f"{parameter}: {_text(argument.annotation)}"
            + (f" = {_text(default)}" if default is not None else "")
            for parameter, argument, default in zip(parameters, arguments, defaults, strict=True)
        )
        return f"{name}({shown}) -> {_text(node.returns)}"

    def draws(self, function: str) -> bool:
        """Whether it draws at random, itself or through what it calls."""
        reached, waiting = {function}, [function]
        while waiting:
            names = set(_names(self.functions[waiting.pop()]))
            if names & _DRAWS:
                return True
            fresh = (names & self.functions.keys()) - reached
            reached |= fresh
            waiting.extend(fresh)
        return False


def _read(source: str) -> _Code:
    module = ast.parse(source)
    functions = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    return _Code(ast.get_docstring(module) or "", functions)


def _text(node: ast.expr | None) -> str:
    return "None" if node is None else ast.unparse(node)


def _names(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.func.id


# ---------------------------------------------------------------- scenarios


def _grouped(tasks: Mapping[str, Task]) -> Iterable[tuple[str, list[Task]]]:
    groups: dict[str, list[Task]] = {}
    for task in tasks.values():
        groups.setdefault(task.scenario, []).append(task)
    return groups.items()


def _scenario(name: str, tasks: list[Task]) -> Json:
    """One scenario; the figures of difficulty are its smallest and its largest."""
    figures = [dict(task.difficulty) for task in tasks]
    return {
        "name": name,
        "tasks": len(tasks),
        "kinds": sorted({task.kind for task in tasks}),
        "turns": max(len(task.turns) for task in tasks),
        "difficulty": {
            figure: [min(each[figure] for each in figures), max(each[figure] for each in figures)]
            for figure in figures[0]
        },
        "first": tasks[0].id,
    }
