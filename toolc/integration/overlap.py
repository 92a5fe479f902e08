"""Which tools of a spec overlap: pairs that are related, and the groups that they make.

Two tools are related where they take the same, say alike what they do, and
- `same`, `form`: give the same for all shared inputs, from the same or another form of input;
- `unit`: give the same quantity in two units, as their words say and their results confirm;
- `column`: look up two columns of one table by its key;
- `constant`, `number`, `field`, `direction`: have bodies that differ in that alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from toolc.importing.names import words
from toolc.integration.behaviour import Outcome, Samples
from toolc.integration.signature import Kind, Leaf, kinds, leaves
from toolc.integration.template import Differ, holes
from toolc.integration.units import Unit, converted, unit_of
from toolc.node import Node
from toolc.rewriting.calls import callee
from toolc.rewriting.spec import Spec, nodes
from toolc.scaling.transformation import plain, reads_only
from toolc.syntax import tree

ALIKE = 0.25
"""Least share of words that two tools have in common, of those of the one with fewer."""
LEAST_RESULTS = 3
"""Different results without which agreement could be chance."""
CLOSE = 0.002
"""How far two quantities may differ for rounding, relative to the larger; and in their units."""
ROUNDED = 0.2

FROM_BODIES = ("constant", "number", "field", "direction")


class Column(NamedTuple):
    """A tool that gives a column of the row with a key."""

    table: str
    name: str


class Known(NamedTuple):
    """What is known of a tool: what it takes, what it gives for the inputs of its kind, its unit,
    its column."""

    tool: tree.Tool
    leaves: tuple[Leaf, ...]
    inputs: Sequence[tuple[Any, ...]]
    outcomes: Sequence[Outcome]
    words: frozenset[str]
    unit: Unit | None
    column: Column | None
    reads_only: bool


class Group(NamedTuple):
    """Tools that are one, in the order of the spec, and how they are related."""

    members: tuple[str, ...]
    by: frozenset[str]


def known_tools(spec: Spec, samples: Samples) -> dict[str, Known]:
    """What is known of each tool that has a body."""
    taken = {name: leaves(spec, tool) for name, tool in spec.tools.items() if tool.body}
    alike: dict[tuple[Kind, ...], list[str]] = {}
    for name, of in taken.items():
        alike.setdefault(kinds(of), []).append(name)
    inputs = {key: samples.inputs([taken[name] for name in same]) for key, same in alike.items()}
    return {
        name: _known(spec, spec.tools[name], of, samples, inputs[kinds(of)])
        for name, of in taken.items()
    }


def _known(
    spec: Spec,
    tool: tree.Tool,
    taken: tuple[Leaf, ...],
    samples: Samples,
    inputs: Sequence[tuple[Any, ...]],
) -> Known:
    name = tool.name.text
    told = words(tool.description.value) if tool.description else ()
    return Known(
        tool,
        taken,
        tuple(inputs),
        [samples.call(name, taken, values) for values in inputs],
        frozenset((*words(name), *map(_stem, told))) - _SMALL,
        unit_of(words(name), told),
        _column(spec, tool, taken),
        reads_only(spec, name),
    )


def _stem(word: str) -> str:
    return word.removesuffix("s") if len(word) > 3 else word


_SMALL = frozenset(
    """a an the of in to by for with and or as is are that which who what how many much two
    from on at its their it""".split()  # noqa: SIM905
)


def _column(spec: Spec, tool: tree.Tool, taken: Sequence[Leaf]) -> Column | None:
    """The column that a tool looks up: `let row = table[key] else …; return row.column`, or
    `return table[key].column else …`."""
    if len(taken) != 1 or not taken[0].kind.table or tool.body is None:
        return None
    table, statements = taken[0].kind.table, tool.body.statements
    last = statements[-1]
    if not isinstance(last, tree.Return):
        return None
    value = last.value.value if isinstance(last.value, tree.OrFail) else last.value
    if not isinstance(value, tree.Attribute):
        return None
    base: tree.Expr = value.base
    if len(statements) == 2 and isinstance(statements[0], tree.Let) and isinstance(base, tree.Ref):
        let = statements[0]
        if [target.text for target in let.targets] != [base.name]:
            return None
        base = let.value.value if isinstance(let.value, tree.OrFail) else let.value
    elif len(statements) != 1:
        return None
    parameter = taken[0].parameter
    looked_up = (
        isinstance(base, tree.Index)
        and isinstance(base.base, tree.Ref)
        and base.base.name == table
        and len(base.indices) == 1
        and isinstance(base.indices[0], tree.Ref)
        and base.indices[0].name == parameter
    )
    return Column(table, value.name.text) if looked_up and not taken[0].field else None


# ---------------------------------------------------------------- relations


def related(spec: Spec, left: Known, right: Known) -> str:
    """How two tools are related; "" where they are not."""
    if kinds(left.leaves) != kinds(right.leaves) or not _alike(left, right):
        return ""
    if left.reads_only and right.reads_only:
        if left.unit is not None and right.unit is not None and left.unit != right.unit:
            return "unit" if _in_units(left, right) else ""
        if _agree(left, right):
            return "form" if _forms(left) != _forms(right) else "same"
    if left.column is not None and right.column is not None:
        same_table = left.column.table == right.column.table
        return "column" if same_table and left.column.name != right.column.name else ""
    return _from_bodies(spec, left, right)


def _alike(left: Known, right: Known) -> bool:
    common = len(left.words & right.words)
    return common >= ALIKE * max(1, min(len(left.words), len(right.words)))


def _forms(known: Known) -> list[tuple[bool, bool]]:
    return [(bool(leaf.field), leaf.part is not None) for leaf in known.leaves]


def _agree(left: Known, right: Known) -> bool:
    """Whether two tools give the same for all inputs, and enough to tell."""
    results = {str(each.result) for each in left.outcomes if each.status == "ok"}
    return len(results) >= LEAST_RESULTS and all(
        a.status == b.status and (a.status != "ok" or a.result == b.result)
        for a, b in zip(left.outcomes, right.outcomes, strict=True)
    )


def _in_units(left: Known, right: Known) -> bool:
    """Whether the results are one quantity in the units of the two."""
    assert left.unit is not None and right.unit is not None
    if left.unit.dimension != right.unit.dimension:
        return False
    seen: set[float] = set()
    for a, b in zip(left.outcomes, right.outcomes, strict=True):
        if a.status != b.status:
            return False
        if a.status != "ok":
            continue
        if not (_is_number(a.result) and _is_number(b.result)):
            return False
        wanted = converted(a.result, left.unit, right.unit)
        if abs(wanted - b.result) > ROUNDED + CLOSE * abs(wanted):
            return False
        seen.add(a.result)
    return len(seen) >= LEAST_RESULTS


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _from_bodies(spec: Spec, left: Known, right: Known) -> str:
    same_result = repr(plain(spec, left.tool.result)) == repr(plain(spec, right.tool.result))
    if not same_result or _defaults(left.tool) != _defaults(right.tool):
        return ""
    try:
        found = holes((left.tool, right.tool))
    except Differ:
        return ""
    differing = {hole.kind for hole in found}
    if not found:
        return "same"
    kind = differing.pop()
    if differing or kind not in FROM_BODIES:
        return ""
    places = _PLACES[kind]
    if not all(_stands_in(left.tool, hole.expressions[0], places) for hole in found):
        return ""
    return kind if all(hole.name for hole in found) or kind == "direction" else ""


def _defaults(tool: tree.Tool) -> list[str]:
    return [f"{each.optional} {each.default!r}" for each in tool.parameters]


def _conditions(node: Node) -> Sequence[object]:
    """What decides whether something counts."""
    if isinstance(node, (tree.IfClause, tree.For, tree.Branch, tree.Require)):
        return [node.condition]
    return []


def _writes(node: Node) -> Sequence[object]:
    return [node.value] if isinstance(node, tree.Assign) else []


def _limits(node: Node) -> Sequence[object]:
    if isinstance(node, tree.Call) and callee(node) in ("take", "drop"):
        return node.arguments[1:]
    return []


_Place = Callable[[Node], Sequence[object]]

_PLACES: Mapping[str, tuple[_Place, ...]] = {
    "constant": (_conditions, _writes),
    "number": (_conditions, _limits),
    "field": (_conditions,),
    "direction": (lambda node: [node],),
}
"""Where bodies may differ in that way: elsewhere, it is another thing that they give."""


def _stands_in(tool: tree.Tool, expression: tree.Expr, places: Sequence[_Place]) -> bool:
    return any(
        inner is expression
        for node in nodes(tool.body)
        for place in places
        for inner in nodes(list(place(node)))
    )


# ---------------------------------------------------------------- groups


def groups(spec: Spec, known: Mapping[str, Known]) -> list[Group]:
    """Tools that are one, in the order of their first members. Tools that write are related by
    their bodies alone."""
    links = {
        (a, b): how for a, b in combinations(known, 2) if (how := related(spec, known[a], known[b]))
    }
    return [
        Group(
            members,
            frozenset(how for (a, b), how in links.items() if a in members and b in members),
        )
        for members in _together(list(known), links)
    ]


def _together(
    names: Sequence[str], links: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, ...]]:
    root = {name: name for name in names}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for a, b in links:
        first, second = sorted((find(a), find(b)), key=names.index)
        root[second] = first
    for name in names:
        members = tuple(each for each in names if find(each) == name)
        if len(members) > 1:
            yield members
