"""Tools that no plan needs: near ones, derived from those there are, and more of them on offer."""

from __future__ import annotations

from random import Random

from toolc.generate import trees
from toolc.importing.names import one_of, unique, words
from toolc.importing.spec import described, label, scalar
from toolc.node import NOWHERE
from toolc.rewriting.calls import callee, uses, with_returns
from toolc.rewriting.spec import Spec, nodes
from toolc.scaling.transformation import (
    NotHere,
    body_of,
    is_list,
    reads_only,
    require,
)
from toolc.syntax import tree

FURTHER = 3
"""Distractors that are added at a time."""


def counting_neighbours(spec: Spec, name: str, random: Random) -> Spec:
    """Beside a tool that lists, one that counts what the first would list."""
    tool = spec.tools[name]
    body = body_of(tool)
    require(is_list(spec, tool.result), "its result is no list")
    require(reads_only(spec, name), "it writes")
    counted = {"len", "count", "sum"}
    for use in uses(spec, name):
        scenario = spec.scenarios.get(use.owner) if use.kind != "test" else None
        asked = any(isinstance(n, tree.Call) and callee(n) in counted for n in nodes(scenario))
        require(not asked, "a scenario that calls it counts")
    found = unique("everything", spec.names)
    verb, *rest = words(name)
    made = unique("_".join(("count", *(rest or [verb]))), spec.names)

    def give(value: tree.Expr) -> tuple[tree.Statement, ...]:
        return (
            tree.Let(NOWHERE, (label(found),), tool.result, value, False),
            trees.give(trees.call("len", trees.ref(found))),
        )

    told = tool.description.value if tool.description else ""
    counter = tree.Tool(
        NOWHERE,
        label(made),
        described(
            f"The number of members, without the members, of what another tool gives: {told}"
        ),
        tool.parameters,
        scalar("int"),
        False,
        with_returns(body, give),
    )
    return spec.with_items([counter], before=name)


def knowing_neighbours(spec: Spec, name: str, random: Random) -> Spec:
    """Beside a look-up by key, one that tells whether there is such a key."""
    tool = spec.tools[name]
    body = body_of(tool)
    table, key = _looked_up(tool, body)
    require(table in spec.tables, "it looks up no row by a parameter first")
    noun = one_of(table)
    made = f"is_known_{noun}"
    require(made not in spec.names, "there is one already")
    known = tree.Tool(
        NOWHERE,
        label(made),
        described(f"Tell whether there is such a {noun.replace('_', ' ')} at all."),
        (key,),
        scalar("bool"),
        False,
        trees.block(trees.give(trees.compare(trees.ref(key.name.text), "in", trees.ref(table)))),
    )
    return spec.with_items([known], before=name)


def _looked_up(tool: tree.Tool, body: tree.Block) -> tuple[str, tree.Field]:
    """The table and parameter of `table[parameter]` in the first statement of a body."""
    parameters = {each.name.text: each for each in tool.parameters}
    for node in nodes(body.statements[:1]):
        if (
            isinstance(node, tree.Index)
            and isinstance(node.base, tree.Ref)
            and len(node.indices) == 1
            and isinstance(node.indices[0], tree.Ref)
            and node.indices[0].name in parameters
        ):
            return node.base.name, parameters[node.indices[0].name]
    raise NotHere("it looks up no row by a parameter first")


def more_distractors(spec: Spec, name: str, random: Random) -> Spec:
    """More tools of the environment on offer."""
    scenario = spec.scenarios[name]
    offered = next((c for c in scenario.clauses if isinstance(c, tree.Tools)), None)
    if offered is None or offered.names is None:
        raise NotHere("all tools are on offer")
    require(not offered.sources, "its distractors come from elsewhere")
    known = int(offered.distractors.value) if offered.distractors else 0
    left = len(spec.tools) - len(offered.names)
    require(left > known, "all tools are on offer")
    number = _number(min(known + FURTHER, left))
    return _with_tools(spec, scenario, offered.replace(distractors=number))


def distant_distractors(spec: Spec, name: str, random: Random) -> Spec:
    """Tools of another environment of the compilation, beside all of this one's that were on
    offer."""
    require(spec.others, "no other environment is scaled together with this one")
    scenario = spec.scenarios[name]
    offered = next((c for c in scenario.clauses if isinstance(c, tree.Tools)), None)
    require(offered is None or offered.distractors is None, "it has distractors already")
    names = tuple(map(label, spec.tools)) if offered is None else offered.names
    source = label(random.choice(spec.others))
    made = tree.Tools(NOWHERE, names or tuple(map(label, spec.tools)), _number(FURTHER), (source,))
    return _with_tools(spec, scenario, made)


def _number(value: int) -> tree.Number:
    return tree.Number(NOWHERE, str(value))


def _with_tools(spec: Spec, scenario: tree.Scenario, offered: tree.Tools) -> Spec:
    clauses = [c for c in scenario.clauses if not isinstance(c, tree.Tools)]
    at = next(
        (place for place, c in enumerate(scenario.clauses) if isinstance(c, tree.Tools)),
        _before_plan(scenario),
    )
    clauses.insert(at, offered)
    made = scenario.replace(clauses=tuple(clauses))
    return spec.replaced(lambda item: made if item is scenario else item)


def _before_plan(scenario: tree.Scenario) -> int:
    kinds = (tree.Given, tree.Turn, tree.Plan)
    return next(place for place, c in enumerate(scenario.clauses) if isinstance(c, kinds))
