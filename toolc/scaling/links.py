"""Which tools take what other tools give: the keys of tables, followed from results to look-ups."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from toolc.analysis import core
from toolc.analysis import types as t
from toolc.rewriting.spec import nodes

Path = tuple[str, ...]
"""Fields from a result down to a value, `MEMBER` for the members of a list."""

MEMBER = "[]"


def given_keys(definition: core.EnvironmentDef, tool: str) -> dict[Path, str]:
    """Where a tool's result holds a key of a table, by the way to it: the result itself, or a field
    of it. What may be absent or null is left out."""
    found = definition.tool(tool)
    if found is None or found.body is None:
        return {}
    each = [dict(_keys_of(definition, node.value)) for node in _returns(found)]
    if not each:
        return {}
    return {
        path: table
        for path, table in each[0].items()
        if all(other.get(path) == table for other in each)
    }


def _returns(function: core.Function) -> Iterator[core.Return]:
    for node in nodes(function.body):
        if isinstance(node, core.Return):
            yield node


def _keys_of(definition: core.EnvironmentDef, value: core.Expr) -> Iterator[tuple[Path, str]]:
    kind = _bare(value.type)
    if isinstance(value, core.Comprehension):
        for path, table in _keys_of(definition, value.element):
            yield (MEMBER, *path), table
    elif isinstance(value, core.RecordOf):
        for entry in value.entries:
            held = _key_held(definition, entry.value)
            if entry.name is not None and held is not None:
                yield (entry.name,), held
    else:
        yield from _keys_in(definition, kind)


def _keys_in(definition: core.EnvironmentDef, kind: t.Type) -> Iterator[tuple[Path, str]]:
    """The keys that the values of a type hold."""
    kind = _bare(kind)
    if isinstance(kind, t.Ref):
        yield (), kind.table
    elif isinstance(kind, t.List):
        for path, table in _keys_in(definition, kind.item):
            yield (MEMBER, *path), table
    elif isinstance(kind, t.Record):
        for field in kind.members:
            inner = _bare(field.type)
            if isinstance(inner, t.Ref) and not field.optional:
                yield (field.name,), inner.table
        for made in definition.tables:
            if not made.outside and len(made.keys) == 1 and kind.name and _bare(made.row) == kind:
                yield (made.keys[0][0],), made.name


def _key_held(definition: core.EnvironmentDef, value: core.Expr) -> str | None:
    """The table that an expression gives a key of: a reference, or a row's own key."""
    kind = _bare(value.type)
    if isinstance(kind, t.Ref):
        return kind.table
    if isinstance(value, core.Field) and not value.optional:
        for table in definition.tables:
            own = not table.outside and [name for name, _ in table.keys] == [value.name]
            if own and _bare(value.base.type) == _bare(table.row):
                return table.name
    return None


def key_answered(definition: core.EnvironmentDef, turn: core.TurnDef) -> str | None:
    """The table of which a turn's answer is a key, as far as it can be followed."""
    steps = {id(step.binder): (step.tool, ()) for step in turn.steps if step.binder is not None}
    if turn.answer is None:
        return None
    kind = _bare(turn.answer.type)
    if isinstance(kind, t.Ref):
        return kind.table
    origin = _origin(turn.answer, dict(steps))
    return given_keys(definition, origin[0]).get(origin[1]) if origin else None


Origin = tuple[str, Path]
"""A tool, and a way down its result."""


def _origin(value: core.Expr, known: dict[int, Origin]) -> Origin | None:
    """Where a value comes from; `known` has what locals hold, by the identity of their symbols."""
    if isinstance(value, core.Local):
        return known.get(id(value.symbol))
    if isinstance(value, core.Field):
        return _further(_origin(value.base, known), value.name)
    if isinstance(value, core.At):
        return _further(_origin(value.base, known), MEMBER)
    if isinstance(value, core.Comprehension):
        inner = dict(known)
        for clause in value.clauses:
            if isinstance(clause, core.ForIn) and len(clause.targets) == 1:
                source = _further(_origin(clause.source, inner), MEMBER)
                if source is not None:
                    inner[id(clause.targets[0])] = source
        element = _origin(value.element, inner)
        # A list of such members, of which one is taken out further up.
        return None if element is None else (element[0], (*element[1], _GATHERED))
    if isinstance(value, core.CallBuiltin) and value.name.split("(")[0] in ("first", "last"):
        return _further(_origin(value.arguments[0], known), MEMBER)
    return None


_GATHERED = "[…]"


def _further(origin: Origin | None, part: str) -> Origin | None:
    if origin is None:
        return None
    tool, path = origin
    if part == MEMBER and path[-1:] == (_GATHERED,):
        return tool, path[:-1]
    return tool, (*path, part)


def taken_keys(definition: core.EnvironmentDef, tool: str, parameter: str) -> set[str]:
    """The tables in which a tool looks up what it is given for a parameter."""
    found = definition.tool(tool)
    if found is None:
        return set()
    return {
        table
        for table, key in _keys_used(found)
        if isinstance(key, core.Local) and key.symbol.name == parameter
    }


@lru_cache(maxsize=10_000)
def _keys_used(function: core.Function) -> tuple[tuple[str, core.Expr], ...]:
    """The tables that a function looks a key up in, or asks for one, with the keys."""
    used: list[tuple[str, core.Expr]] = []
    for node in nodes(function.body):
        if isinstance(node, core.Lookup):
            used.append((node.table.name, node.key))
        elif isinstance(node, core.Contains) and isinstance(node.container, core.TableRef):
            used.append((node.container.name, node.item))
    return tuple(used)


def _bare(kind: t.Type) -> t.Type:
    """The type without facets; references stay."""
    while isinstance(kind, t.Refined):
        kind = kind.inner
    return kind
