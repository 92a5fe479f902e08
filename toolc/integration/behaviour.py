"""What tools give for inputs that they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from random import Random
from typing import Any, NamedTuple

from toolc.audit.pool import Keys
from toolc.integration.signature import Leaf, arguments, kinds
from toolc.rewriting.spec import Spec, nodes
from toolc.scaling.transformation import plain
from toolc.syntax import tree
from toolc_runtime.environment import Environment
from toolc_runtime.values import canonical

INPUTS = 40
"""Inputs that tools are called with."""
MOST_TEXTS = 200


class Outcome(NamedTuple):
    """What a call came to: its status, its result as JSON, and what it wrote, as text."""

    status: str
    result: Any
    writes: str


class Samples:
    """Inputs for what tools take, the same for all that take the same."""

    def __init__(self, spec: Spec, environment: Environment) -> None:
        self.spec = spec
        self.environment = environment
        self.start = environment.episode()
        self._texts = _texts(environment)
        self._tables = Keys(environment.base).tables

    def inputs(self, several: Sequence[Sequence[Leaf]]) -> list[tuple[Any, ...]]:
        """Values that tools of the same kinds of leaves all take, drawn by what they take; one
        input where there are no leaves."""
        of = [min(same, key=_range) for same in zip(*several, strict=True)]
        if not of:
            return [()]
        random = Random(repr(kinds(of)))
        return [tuple(self._value(leaf, number, random) for leaf in of) for number in range(INPUTS)]

    def call(self, tool: str, of: Sequence[Leaf], values: Sequence[Any], **further: Any) -> Outcome:
        """What a tool gives for values, in an episode that begins with this call."""
        episode = self.start.fork()
        episode.call(tool, {**arguments(of, values), **further})
        made = episode.trace[-1]
        return Outcome(made.status, made.result, canonical(made.writes))

    def _value(self, leaf: Leaf, number: int, random: Random) -> Any:
        if leaf.optional and random.random() < 0.5:
            return None
        if leaf.kind.table:
            keys = self._keys(leaf.kind.table)
            unknown = number % 9 == 8 or not keys
            return f"unknown {number}" if unknown and _is_text(keys) else random.choice(keys or [0])
        return _drawn(self.spec, leaf.type, self._texts, random)

    def _keys(self, table: str) -> list[Any]:
        return self._tables.get(table, [])


def _range(leaf: Leaf) -> tuple[bool, float]:
    low, high = _bounds(leaf.type)
    return leaf.optional, high - low


def _is_text(keys: Sequence[Any]) -> bool:
    return all(isinstance(key, str) for key in keys)


def _texts(environment: Environment) -> list[str]:
    """Texts that stand in the data, and their words."""
    found: dict[str, None] = {}
    for source in environment.base.tables.values():
        for row in islice(source.rows.values(), MOST_TEXTS):
            for value in row.values() if isinstance(row, dict) else ():
                if isinstance(value, str) and len(found) < MOST_TEXTS:
                    found |= dict.fromkeys((value, *value.split()))
    return list(found)


def _drawn(spec: Spec, type: tree.TypeExpr, texts: Sequence[str], random: Random) -> Any:
    bare = plain(spec, type)
    if isinstance(bare, tree.LiteralType):
        return random.choice([each and each.value for each in bare.values])
    if isinstance(bare, tree.GenericType) and bare.name == "list":
        return [_drawn(spec, bare.arguments[0], texts, random) for _ in range(random.randint(1, 3))]
    if not isinstance(bare, tree.NamedType):
        return None
    item = spec.types.get(bare.name)
    if isinstance(item, tree.Enum):
        return random.choice(item.values).value
    low, high = _bounds(type)
    draws: Mapping[str, Any] = {
        "float": lambda: round(random.uniform(low, high), 3),
        "int": lambda: random.randint(int(low), int(high)),
        "bool": lambda: random.random() < 0.5,
        "decimal": lambda: f"{random.uniform(max(low, 0), high):.2f}",
        "date": lambda: (
            f"202{random.randint(2, 5)}-0{random.randint(1, 9)}-1{random.randint(0, 9)}"
        ),
        "str": lambda: random.choice(texts or ["a"]),
    }
    return draws[bare.name]() if bare.name in draws else None


def _bounds(type: tree.TypeExpr) -> tuple[float, float]:
    found = {"minimum": -60.0, "maximum": 60.0}
    for node in nodes(type):
        if isinstance(node, tree.Facet) and node.name.text in found:
            sign, value = 1, node.value
            if isinstance(value, tree.Unary):
                sign, value = -1, value.operand
            if isinstance(value, tree.Number):
                found[node.name.text] = sign * value.value
    return found["minimum"], max(found["minimum"] + 1, found["maximum"])
