"""What a transformation is: a change of one tool or scenario of a spec, or a reason not to."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Literal, NamedTuple

from toolc.rewriting.spec import Spec
from toolc.syntax import tree


class NotHere(Exception):
    """A transformation that does not apply to a tool or scenario; the message says why."""


Apply = Callable[[Spec, str, Random], Spec]
"""Changes the tool or scenario of a name. Raises `NotHere`."""


class Transformation(NamedTuple):
    """`level` is the first at which it is used; `of` what it changes."""

    name: str
    of: Literal["tool", "scenario"]
    level: int
    about: str
    apply: Apply


def require(condition: object, reason: str) -> None:
    """Raises `NotHere` unless the condition holds."""
    if not condition:
        raise NotHere(reason)


# ---------------------------------------------------------------- questions about tools


def body_of(tool: tree.Tool) -> tree.Block:
    if tool.body is None:
        raise NotHere("it has no body")
    return tool.body


def reads_only(spec: Spec, tool: str) -> bool:
    """Whether a tool neither writes nor draws; those that scaling adds never do."""
    found = spec.definition.tool(tool)
    return found is None or not (found.effects.writes or found.effects.draws)


def plain(spec: Spec, kind: tree.TypeExpr) -> tree.TypeExpr:
    """The type without facets and aliases."""
    seen = 0
    while seen < 50:
        seen += 1
        if isinstance(kind, tree.RefinedType):
            kind = kind.inner
        elif isinstance(kind, tree.NamedType):
            item = spec.types.get(kind.name)
            if not isinstance(item, tree.Alias):
                return kind
            kind = item.type
        else:
            return kind
    return kind


def facets(spec: Spec, kind: tree.TypeExpr) -> dict[str, tree.Expr]:
    """The facets of a type and of the aliases that it goes by."""
    found: dict[str, tree.Expr] = {}
    for _ in range(50):
        item = spec.types.get(kind.name) if isinstance(kind, tree.NamedType) else None
        if isinstance(kind, tree.RefinedType):
            found = {each.name.text: each.value for each in kind.facets} | found
            kind = kind.inner
        elif isinstance(item, tree.Alias):
            kind = item.type
        else:
            break
    return found


def is_named(spec: Spec, kind: tree.TypeExpr, *names: str) -> bool:
    """Whether it is one of the built-in types, facets aside."""
    bare = plain(spec, kind)
    return isinstance(bare, tree.NamedType) and bare.name in names


def is_list(spec: Spec, kind: tree.TypeExpr) -> bool:
    bare = plain(spec, kind)
    return isinstance(bare, tree.GenericType) and bare.name == "list"


def members(spec: Spec, kind: tree.TypeExpr) -> tuple[tree.Field, ...]:
    """The fields of a closed record; none of other types."""
    bare = plain(spec, kind)
    item = spec.types.get(bare.name) if isinstance(bare, tree.NamedType) else bare
    if isinstance(item, (tree.Record, tree.RecordType)) and not item.open:
        return item.members
    return ()
