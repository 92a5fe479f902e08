"""How difficult tasks are, in figures."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from toolc.rewriting.trial import Tried
from toolc_runtime.values import canonical

DIFFICULTY = ("steps", "depth", "width", "arguments", "tools")


class Figures(NamedTuple):
    """Means over tasks: steps of the plan, its depth and width, the arguments that it gives, the
    tools on offer, characters of their schemas, and objects and lists within their parameters."""

    tasks: int
    steps: float
    depth: float
    width: float
    arguments: float
    tools: float
    schemas: float
    nested: float


def figures(tried: Iterable[Tried]) -> Figures:
    """The figures of all tasks of several specs."""
    sums = dict.fromkeys((*DIFFICULTY, "schemas", "nested"), 0.0)
    tasks = 0
    for each in tried:
        sizes = {name: float(len(canonical(schema))) for name, schema in each.schemas.items()}
        nested = {name: float(_nested(schema)) for name, schema in each.schemas.items()}
        for task in each.tasks.values():
            tasks += 1
            for name in DIFFICULTY:
                sums[name] += task["difficulty"][name]
            offered = each.schemas if task["tools"] is None else task["tools"]
            sums["schemas"] += sum(sizes.get(name, 0) for name in offered)
            sums["nested"] += sum(nested.get(name, 0) for name in offered)
    return Figures(tasks, **{name: round(total / max(tasks, 1), 2) for name, total in sums.items()})


def _nested(schema: object, depth: int = 0) -> int:
    """The objects and arrays that stand within the parameters of a tool."""
    if isinstance(schema, dict):
        inner = int(depth > 0 and schema.get("type") in ("object", "array"))
        deeper = depth + ("properties" in schema)
        return inner + sum(_nested(each, deeper) for each in schema.values())
    if isinstance(schema, list):
        return sum(_nested(each, depth) for each in schema)
    return 0
