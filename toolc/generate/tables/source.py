"""The tables as a source of the stages: what to tell of tools, how they merge, their bodies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from toolc.generate import trees
from toolc.generate.draft import (
    Adapter,
    Change,
    Document,
    Draft,
    Json,
    StageError,
    with_tools,
)
from toolc.generate.tables import documents
from toolc.generate.tables.operations import (
    ORDERS,
    STATISTICS,
    Count,
    Find,
    Get,
    Operation,
    Rank,
    Set,
    Summary,
    body,
    from_json,
    own,
    signature,
    to_json,
)
from toolc.generate.tables.schema import Schema, Table, schema_of
from toolc.importing import spec
from toolc.importing.names import MAX_NAME, unique
from toolc.node import NOWHERE
from toolc.syntax import tree


class Tables:
    """Decides by the operations that tools stand for."""

    def document(self, draft: Draft, tool: tree.Tool, meaning: Json) -> Document:
        return documents.document(*_read(draft, tool.name.text, meaning))

    def merges(self, draft: Draft) -> Sequence[Change]:
        """Lookups of one table by one column, summaries, rankings, counts and lists of one table:
        each becomes one tool."""
        schema = schema_of(draft.items)
        alike: dict[Any, dict[str, Operation]] = {}
        for name in draft.tools:
            if name in draft.meanings:
                operation, _ = _read(draft, name, draft.meanings[name])
                table = schema.tables[operation.table]
                key = _MERGES[type(operation)][0](operation, table)
                alike.setdefault(key, {})[name] = operation
        changes: list[Change] = []
        taken = set(draft.tools)
        for group in alike.values():
            operations = list(group.values())
            if isinstance(operations[0], Set):
                continue
            merged = _MERGES[type(operations[0])][1](operations)
            table = schema.tables[merged.table]
            lone = isinstance(merged, Get) and gap(merged, table)
            fitting = narrow_name(merged, table) if lone else _general_name(merged, table)
            name = unique(fitting, taken - set(group))
            taken.add(name)
            adapters = {old: _adapter(each, merged, table) for old, each in group.items()}
            changes.append(change_of(name, merged, schema, adapters))
        return changes

    def deploy(self, draft: Draft) -> Draft:
        def deployed(tool: tree.Tool) -> tree.Tool:
            if tool.body is not None:
                return tool
            name = tool.name.text
            made: tree.Tool = tool.replace(
                body=body(*_read(draft, name, draft.meanings.get(name, {})))
            )
            return made

        return with_tools(draft, deployed)


def _read(draft: Draft, name: str, meaning: Json) -> tuple[Operation, Schema]:
    """What a tool does, with the tables that it does it with. Raises `StageError`."""
    schema = schema_of(draft.items)
    try:
        operation = from_json(meaning)
        signature(operation, schema)
    except (KeyError, TypeError, AttributeError, IndexError):
        what = "does not fit the tables" if meaning else "is missing"
        raise StageError(
            f"what `{name}` does {what}: stage.json says it by the tool's name"
        ) from None
    return operation, schema


def change_of(
    name: str, operation: Operation, schema: Schema, replaces: Mapping[str, Adapter]
) -> Change:
    """The change that puts an operation's tool in the place of others."""
    return Change(declared(name, operation, schema), to_json(operation), replaces)


def declared(name: str, operation: Operation, schema: Schema) -> tree.Tool:
    """An operation's tool, without description and body."""
    parameters, result = signature(operation, schema)
    return tree.Tool(NOWHERE, spec.label(name), None, parameters, result, False, None)


# ---------------------------------------------------------------- names


def _join(*words: str) -> str:
    made = "_".join(word.replace(" ", "_") for word in words if word)
    return made[: MAX_NAME - 4].rstrip("_")


def narrow_name(operation: Operation, table: Table) -> str:
    """A name for a tool that answers one sub-question."""
    return _NARROW[type(operation)](operation, table)


def _by(it: Any) -> str:
    return "_by_" + "_and_".join(it.filters) if it.filters else ""


_NARROW: Mapping[type, Callable[[Any, Table], str]] = {
    Get: lambda it, table: _join(
        "get" if it.by == table.key else "find",
        table.noun.one,
        it.columns[0],
        "" if it.by == table.key else "by_" + "_".join(it.by),
    ),
    Count: lambda it, table: _join("count", table.noun.many) + _by(it),
    Summary: lambda it, table: (
        _join(it.statistics[0], it.measures[0], "of", table.noun.many) + _by(it)
    ),
    Rank: lambda it, table: (
        _join(
            table.noun.one,
            "with",
            "highest" if it.orders[0] == "descending" else "lowest",
            it.measures[0],
        )
        + _by(it)
    ),
    Find: lambda it, table: _join("list", table.noun.many) + _by(it),
    Set: lambda it, table: _join("set", table.noun.one, it.column),
}


def _general_name(operation: Operation, table: Table) -> str:
    return _GENERAL[type(operation)](operation, table)


_GENERAL: Mapping[type, Callable[[Any, Table], str]] = {
    Get: lambda it, table: _join("get" if it.by == table.key else "find", table.noun.one),
    Count: lambda it, table: _join("count", table.noun.many),
    Summary: lambda it, table: _join("summarize", table.noun.many),
    Rank: lambda it, table: _join("rank", table.noun.many),
    Find: lambda it, table: _join("list", table.noun.many),
}


# ---------------------------------------------------------------- merging


def _all(texts: Iterable[Iterable[str]], order: Sequence[str] = ()) -> tuple[str, ...]:
    found = dict.fromkeys(text for several in texts for text in several)
    return tuple(sorted(found, key=order.index) if order else found)


def _filters(operations: Sequence[Any]) -> dict[str, tuple[str, ...]]:
    """Filters that all have are required; the others may be left out."""
    every = _all(each.filters for each in operations)
    shared = tuple(name for name in every if all(name in each.filters for each in operations))
    further = _all(each.optional for each in operations)
    optional = tuple(name for name in (*every, *further) if name not in shared)
    return {"filters": shared, "optional": tuple(dict.fromkeys(optional))}


def _merged_get(operations: Sequence[Get]) -> Get:
    columns = _all(each.columns for each in operations)
    return operations[0]._replace(columns=columns, plain=len(columns) == 1)


def _merged_summary(operations: Sequence[Any]) -> Any:
    return operations[0]._replace(
        statistics=_all((each.statistics for each in operations), STATISTICS),
        measures=_all(each.measures for each in operations),
        **_filters(operations),
    )


def _merged_rank(operations: Sequence[Any]) -> Any:
    return operations[0]._replace(
        measures=_all(each.measures for each in operations),
        orders=_all((each.orders for each in operations), ORDERS),
        **_filters(operations),
    )


def _merged_filters(operations: Sequence[Any]) -> Any:
    return operations[0]._replace(**_filters(operations))


_MERGES: Mapping[type, tuple[Callable[[Any, Table], Any], Callable[[Any], Any]]] = {
    Get: (lambda it, table: ("get", it.table, it.by, gap(it, table)), _merged_get),
    Count: (lambda it, table: ("count", it.table), _merged_filters),
    Summary: (lambda it, table: ("summary", it.table), _merged_summary),
    Rank: (lambda it, table: ("rank", it.table), _merged_rank),
    Find: (lambda it, table: ("find", it.table), _merged_filters),
    Set: (lambda it, table: ("set", it.table, it.column), lambda several: several[0]),
}
"""What is alike, and how that is merged, by operation."""


def gap(it: Get, table: Table) -> str:
    """The one column of a lookup that fails where the cell is missing; "" of other lookups. In a
    record the cell would be null, and plans could not work with it."""
    return it.columns[0] if it.plain and table.columns[it.columns[0]].optional else ""


def _adapter(old: Any, merged: Any, table: Table) -> Adapter:
    """How a call of the narrow tool is one of the merged tool."""
    arguments: list[tuple[str, tree.Expr]] = []
    for field, name in (("statistics", "statistic"), ("measures", "measure"), ("orders", "order")):
        if len(getattr(merged, field, ())) > 1:
            arguments.append((own(table, name), trees.value(getattr(old, field)[0])))
    path: tuple[str | int, ...] = ()
    if isinstance(merged, Get) and not merged.plain:
        path = (old.columns[0],)
    return Adapter(tuple(arguments), path)
