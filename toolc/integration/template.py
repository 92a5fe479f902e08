"""Where the bodies of two tools differ, names of parameters and locals aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from toolc.generate.trees import rewritten
from toolc.node import Node
from toolc.rewriting.calls import callee
from toolc.syntax import tree


class Hole(NamedTuple):
    """A place at which bodies differ: the expressions that stand there, by tool in order, and what
    kind of difference it is. `name` is what the place is about: a field, or what is called."""

    kind: str
    expressions: tuple[tree.Expr, ...]
    name: str


class Differ(Exception):
    """Bodies that have no template in common."""


def holes(tools: Sequence[tree.Tool]) -> list[Hole]:
    """Where the bodies of tools differ, as few and as small places as there are. Raises `Differ`
    where they differ in more than expressions that a parameter could stand for.

    What a failure says is of no account.
    """
    first = tools[0]
    places: dict[int, dict[int, Hole]] = {}
    for number, other in enumerate(tools[1:], 1):
        for hole in _between(first, other):
            places.setdefault(id(hole.expressions[0]), {})[number] = hole
    made: list[Hole] = []
    for by_tool in places.values():
        one = next(iter(by_tool.values()))
        kinds = {hole.kind for hole in by_tool.values()}
        if len(kinds - {"arithmetic", "number"}) + bool(kinds & {"arithmetic", "number"}) > 1:
            raise Differ
        expressions = [one.expressions[0]]
        for number in range(1, len(tools)):
            expressions.append(
                by_tool[number].expressions[1] if number in by_tool else expressions[0]
            )
        kind = "arithmetic" if "arithmetic" in kinds else one.kind
        made.append(Hole(kind, tuple(expressions), one.name))
    return made


def _between(left: tree.Tool, right: tree.Tool) -> list[Hole]:
    if left.body is None or right.body is None or left.keeps_effects != right.keeps_effects:
        raise Differ
    if len(left.parameters) != len(right.parameters):
        raise Differ
    walk = _Walk(_names(left), _names(right))
    walk.pair(left.body, right.body, "")
    return walk.found


def _names(tool: tree.Tool) -> dict[str, str]:
    return {each.name.text: f"parameter {at}" for at, each in enumerate(tool.parameters)}


class _Walk:
    """Compares two bodies. `left` and `right` say what names stand for: the parameters by their
    places, locals by the order in which they are bound."""

    def __init__(self, left: dict[str, str], right: dict[str, str]) -> None:
        self.left, self.right = left, right
        self.found: list[Hole] = []
        self.bound = 0

    def pair(self, left: object, right: object, about: str) -> None:
        """Compares two parts; `about` names what surrounds them."""
        if isinstance(left, tuple) and isinstance(right, tuple):
            if len(left) != len(right):
                raise Differ
            for a, b in zip(left, right, strict=True):
                self.pair(a, b, about)
        elif isinstance(left, Node) and isinstance(right, Node):
            self._nodes(left, right, about)
        elif left != right:
            raise Differ

    def _nodes(self, left: Node, right: Node, about: str) -> None:
        if isinstance(left, tree.OrFail) and isinstance(right, tree.OrFail):
            self.pair(left.value, right.value, about)
        elif isinstance(left, tree.Require) and isinstance(right, tree.Require):
            self.pair(left.condition, right.condition, about)
        elif isinstance(left, tree.Fail) and isinstance(right, tree.Fail):
            return
        elif isinstance(left, tree.Assign) and isinstance(left.place, tree.Attribute):
            self._fields(left, right, left.place.name.text)
        elif isinstance(left, tree.Expr) and isinstance(right, tree.Expr):
            self._expressions(left, right, about)
        elif type(left) is type(right):
            self._fields(left, right, about)
        else:
            raise Differ

    def _expressions(self, left: tree.Expr, right: tree.Expr, about: str) -> None:
        kind = _KINDS.get((type(left), type(right)))
        if isinstance(left, tree.Ref) and isinstance(right, tree.Ref):
            if self.left.get(left.name, left.name) != self.right.get(right.name, right.name):
                raise Differ
        elif kind is not None:
            if _content(left) != _content(right):
                self.found.append(Hole(kind, (left, right), about))
        elif isinstance(left, tree.Attribute) and isinstance(right, tree.Attribute):
            self.pair(left.base, right.base, about)
            if left.name.text != right.name.text:
                self.found.append(Hole("field", (left, right), about))
        elif type(left) is type(right) and _directions(left) != _directions(right):
            self.found.append(Hole("direction", (left, right), about))
            self._fields(left, _turned(right), about)
        elif type(left) is type(right):
            before = len(self.found), dict(self.left), dict(self.right), self.bound
            try:
                self._fields(left, right, _about(left) or about)
            except Differ:
                if not _is_arithmetic(left, right):
                    raise
                del self.found[before[0] :]
                _, self.left, self.right, self.bound = before
                self.found.append(Hole("arithmetic", (left, right), about))
        elif _is_arithmetic(left, right):
            self.found.append(Hole("arithmetic", (left, right), about))
        else:
            raise Differ

    def _fields(self, left: Node, right: Node, about: str) -> None:
        targets = _targets(left), _targets(right)
        # What names are bound to is compared before they are, and what uses them after.
        for name in left.fields:
            if name in ("span", "targets", "binder", "element"):
                continue
            a, b = getattr(left, name), getattr(right, name, None)
            if isinstance(a, tree.Name) and isinstance(b, tree.Name):
                if a.text != b.text:
                    raise Differ
            else:
                self.pair(a, b, about)
        if len(targets[0]) != len(targets[1]):
            raise Differ
        for a, b in zip(*targets, strict=True):
            self.left[a] = self.right[b] = f"local {self.bound}"
            self.bound += 1
        if isinstance(left, tree.Comprehension) and isinstance(right, tree.Comprehension):
            self.pair(left.element, right.element, about)


_KINDS: Mapping[tuple[type, type], str] = {
    (tree.String, tree.String): "constant",
    (tree.Bool, tree.Bool): "constant",
    (tree.Number, tree.Number): "number",
}


def _content(node: tree.Expr) -> object:
    assert isinstance(node, (tree.String, tree.Bool, tree.Number))
    return node.value


def _targets(node: Node) -> list[str]:
    if isinstance(node, (tree.Let, tree.For, tree.ForClause)):
        return [target.text for target in node.targets]
    return [node.binder.text] if isinstance(node, tree.Walk) else []


def _about(node: tree.Expr) -> str:
    """What an expression is about: the field that it compares, or the function that it calls."""
    if isinstance(node, tree.Compare) and isinstance(node.operands[0], tree.Attribute):
        return node.operands[0].name.text
    if isinstance(node, tree.Compare):
        return callee(node.operands[0])
    return callee(node)


def _inner(node: tree.Expr) -> tree.Comprehension | None:
    """The comprehension that an expression is, or that a call is of, where it is ordered by one
    key."""
    inner: tree.Expr | None = None
    if isinstance(node, tree.ListComprehension):
        inner = node.inner
    elif isinstance(node, tree.Call) and len(node.arguments) == 1:
        inner = node.arguments[0].value
    return inner if isinstance(inner, tree.Comprehension) and len(inner.order) == 1 else None


def _directions(node: tree.Expr) -> bool | None:
    inner = _inner(node)
    return None if inner is None else inner.order[0].descending


def _turned(node: tree.Expr) -> tree.Expr:
    """The expression with its order the other way round."""
    inner = _inner(node)
    if inner is None:
        raise Differ
    key = inner.order[0]
    turned = inner.replace(order=(key.replace(descending=not key.descending),))
    made: tree.Expr = rewritten(node, lambda part: turned if part is inner else None)
    return made


_ARITHMETIC = ("+", "-", "*", "/")


def _is_arithmetic(left: tree.Expr, right: tree.Expr) -> bool:
    """Whether one of two expressions is worked out of numbers."""
    return any(
        isinstance(each, tree.Binary) and each.operator in _ARITHMETIC for each in (left, right)
    )
