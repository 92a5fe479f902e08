"""Calls of tools in plans, checks and tests: finding them, and rewriting them with the tool."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

from toolc.generate import trees
from toolc.importing.spec import label
from toolc.node import NOWHERE, Node
from toolc.rewriting.spec import Spec, nodes
from toolc.syntax import tree

Arguments = Mapping[str, tree.Expr]


class Use(NamedTuple):
    """A call of a tool: `kind` is `step`, `called`, `never` or `test`; `owner` is the scenario's
    name or the test's title; `step` is there for steps alone."""

    kind: str
    owner: str
    arguments: Arguments
    step: tree.Step | None = None


class Rewrite(NamedTuple):
    """How the calls of a tool become calls of its successor, `name`.

    `arguments` gives the new arguments of a call (of all of them, or in a check of some); `path`
    leads from the new result to the old one; `renamed` are parameters that have another name;
    `stated` makes of an expression of the old result one of the new.
    """

    name: str
    arguments: Callable[[Arguments], Arguments] = dict
    path: tuple[str | int, ...] = ()
    renamed: Mapping[str, str] = {}
    stated: Callable[[tree.Expr], tree.Expr] | None = None


def named(tool: tree.Tool, call: tree.Call) -> dict[str, tree.Expr]:
    """The arguments of a call by name."""
    parameters = [field.name.text for field in tool.parameters]
    return {
        argument.name.text if argument.name else parameters[place]: argument.value
        for place, argument in enumerate(call.arguments)
    }


def callee(expression: tree.Expr) -> str:
    """The name of what an expression calls; "" where it is no call."""
    if isinstance(expression, tree.Call) and isinstance(expression.base, tree.Ref):
        return expression.base.name
    return ""


def uses(spec: Spec, name: str) -> Iterator[Use]:
    """Every call of a tool."""
    tool = spec.tools[name]
    for item in spec.items:
        for node in _calls_in(item):
            if isinstance(node, tree.Call):
                if callee(node) == name:
                    assert isinstance(item, tree.Test)
                    yield Use("test", item.title.value, named(tool, node))
            elif isinstance(node.call, tree.Call) and callee(node.call) == name:
                assert isinstance(item, tree.Scenario)
                step = node if isinstance(node, tree.Step) else None
                arguments = named(tool, node.call)
                yield Use(_KINDS[type(node)], item.name.text, arguments, step)


_Calling = tree.Step | tree.CalledCheck | tree.NeverCheck


@lru_cache(maxsize=20_000)
def _calls_in(item: tree.Item) -> tuple[_Calling | tree.Call, ...]:
    """The steps and checks of a scenario, the calls of a test."""
    if isinstance(item, tree.Scenario):
        return tuple(node for node in nodes(item) if isinstance(node, _Calling))
    if isinstance(item, tree.Test):
        return tuple(node for node in nodes(item) if isinstance(node, tree.Call))
    return ()


_CHECKS = (tree.CalledCheck, tree.NeverCheck)
_KINDS: Mapping[type, str] = {
    tree.Step: "step",
    tree.CalledCheck: "called",
    tree.NeverCheck: "never",
}


# ---------------------------------------------------------------- rewriting


def rewritten(spec: Spec, rewrites: Mapping[str, Rewrite]) -> Spec:
    """The spec with the calls of tools rewritten, by the names that these have now. The tools
    themselves stay as they are."""
    tools = spec.tools

    def change(item: tree.Item) -> tree.Item:
        if rewrites.keys().isdisjoint(_named_in(item)):
            return item
        if isinstance(item, tree.Scenario):
            return in_scenario(item, tools, rewrites)
        if isinstance(item, tree.Test):
            return trees.rewritten(item, _Test(tools, rewrites).change)
        return item

    return spec.replaced(change)


def in_scenario(
    scenario: tree.Scenario, tools: Mapping[str, tree.Tool], rewrites: Mapping[str, Rewrite]
) -> tree.Scenario:
    """The scenario with its calls of tools rewritten; `tools` are those that there are now."""
    return _Scenario(tools, rewrites).rewritten(scenario)


@lru_cache(maxsize=20_000)
def _named_in(item: tree.Item) -> frozenset[str]:
    """The tools that a scenario or test calls, offers or counts the calls of."""
    found = {callee(node if isinstance(node, tree.Call) else node.call) for node in _calls_in(item)}
    for node in nodes(item) if isinstance(item, tree.Scenario) else ():
        if isinstance(node, tree.Tools):
            found |= {name.text for name in node.names or ()}
        elif isinstance(node, tree.Call) and callee(node) == COUNTED:
            found |= {
                each.value.name for each in node.arguments if isinstance(each.value, tree.Ref)
            }
    return frozenset(found)


COUNTED = "calls"
"""What constraints count the calls of a tool with: `calls(get_order) <= 2`."""


def called(name: str, arguments: Arguments) -> tree.Call:
    return trees.named_call(name, arguments.items())


def along(expression: tree.Expr, path: tuple[str | int, ...]) -> tree.Expr:
    """What lies at a path below an expression."""
    for part in path:
        if isinstance(part, int):
            expression = trees.index(expression, trees.value(part))
        else:
            expression = trees.attribute(expression, part)
    return expression


class _Scenario:
    """Rewrites the steps and checks of a scenario, and what refers to the steps' results."""

    def __init__(self, tools: Mapping[str, tree.Tool], rewrites: Mapping[str, Rewrite]) -> None:
        self.tools = tools
        self.rewrites = rewrites
        self.paths: dict[str, tuple[str | int, ...]] = {}

    def rewritten(self, scenario: tree.Scenario) -> tree.Scenario:
        for node in nodes(scenario):
            if isinstance(node, tree.Step) and node.binder is not None:
                rewrite = self.rewrites.get(callee(node.call))
                if rewrite is not None and rewrite.path:
                    self.paths[node.binder.text] = rewrite.path
        return trees.rewritten(scenario, self.change)

    def change(self, node: Node) -> Node | None:
        if isinstance(node, tree.Step):
            return self._step(node)
        if isinstance(node, _CHECKS):
            made: Node = node.replace(call=self._call(node.call))
            return made
        if isinstance(node, tree.Ref) and node.name in self.paths:
            return along(node, self.paths[node.name])
        if isinstance(node, tree.Call):  # what it calls is no binder, though of that name
            inner = self._counted if callee(node) == COUNTED else self.change
            made = node.replace(arguments=trees.rewritten(node.arguments, inner))
            return made
        if isinstance(node, tree.Tools) and node.names is not None:
            names = dict.fromkeys(self._name(name.text) for name in node.names)
            offered: Node = node.replace(names=tuple(map(label, names)))
            return offered
        return None

    def _counted(self, node: Node) -> Node | None:
        return trees.ref(self._name(node.name)) if isinstance(node, tree.Ref) else None

    def _name(self, name: str) -> str:
        return self.rewrites[name].name if name in self.rewrites else name

    def _step(self, step: tree.Step) -> tree.Step:
        rewrite = self.rewrites.get(callee(step.call))
        equals = trees.rewritten(step.equals, self.change)
        if rewrite is not None and equals is not None and rewrite.path:
            assert rewrite.stated is not None, "tools whose results are stated keep their form"
            equals = rewrite.stated(equals)
        renamed = rewrite.renamed if rewrite else {}
        made: tree.Step = step.replace(
            question=trees.rewritten(step.question, self.change),
            call=self._call(step.call),
            error=trees.rewritten(step.error, self.change),
            equals=equals,
            free=tuple(label(renamed.get(each.text, each.text)) for each in step.free),
        )
        return made

    def _call(self, call: tree.Expr) -> tree.Expr:
        rewrite = self.rewrites.get(callee(call))
        if rewrite is None:
            return trees.rewritten(call, self.change)
        assert isinstance(call, tree.Call)
        arguments = named(self.tools[callee(call)], call)
        inner = {name: trees.rewritten(each, self.change) for name, each in arguments.items()}
        return called(rewrite.name, rewrite.arguments(inner))


class _Test:
    """Rewrites the calls in a test. Those that stand for themselves (a statement, or what is
    expected to fail) keep their place; elsewhere the old result is taken out of the new."""

    def __init__(self, tools: Mapping[str, tree.Tool], rewrites: Mapping[str, Rewrite]) -> None:
        self.tools = tools
        self.rewrites = rewrites

    def change(self, node: Node) -> Node | None:
        if isinstance(node, tree.CallStatement) and callee(node.call) in self.rewrites:
            statement: Node = node.replace(call=self._call(node.call))
            return statement
        if isinstance(node, tree.Expect) and node.fails and callee(node.value) in self.rewrites:
            error = trees.rewritten(node.error, self.change)
            expected: Node = node.replace(value=self._call(node.value), error=error)
            return expected
        if isinstance(node, tree.Call) and callee(node) in self.rewrites:
            return along(self._call(node), self.rewrites[callee(node)].path)
        return None

    def _call(self, call: tree.Expr) -> tree.Call:
        assert isinstance(call, tree.Call)
        rewrite = self.rewrites[callee(call)]
        arguments = named(self.tools[callee(call)], call)
        inner = {name: trees.rewritten(each, self.change) for name, each in arguments.items()}
        return called(rewrite.name, rewrite.arguments(inner))


# ---------------------------------------------------------------- bodies


def bound(part: object) -> set[str]:
    """The names that are bound anywhere in a tree: locals, binders, targets of loops."""
    found: set[str] = set()
    for node in nodes(part):
        if isinstance(node, (tree.Let, tree.For, tree.ForClause)):
            found |= {target.text for target in node.targets}
        elif isinstance(node, tree.Walk):
            found.add(node.binder.text)
    return found


def substituted(part: trees.Tree, values: Mapping[str, tree.Expr]) -> trees.Tree:
    """The tree with names replaced by expressions; what functions are called is no such name. None
    of the names may be bound within it."""

    def change(node: Node) -> Node | None:
        if isinstance(node, tree.Ref):
            return values.get(node.name)
        if isinstance(node, tree.Call):
            arguments = trees.rewritten(node.arguments, change)
            made: Node = node.replace(arguments=arguments)
            return made
        return None

    return trees.rewritten(part, change)


def with_returns(
    body: tree.Block, change: Callable[[tree.Expr], tuple[tree.Statement, ...]]
) -> tree.Block:
    """A body with each `return` replaced by statements."""

    def visit(node: Node) -> Node | None:
        if not isinstance(node, tree.Block):
            return None
        made: list[tree.Statement] = []
        for statement in node.statements:
            if isinstance(statement, tree.Return):
                made += change(statement.value)
            else:
                made.append(trees.rewritten(statement, visit))
        return tree.Block(NOWHERE, tuple(made))

    return trees.rewritten(body, visit)
