"""What to tell of the tools that work on tables: descriptions with units, ties and gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from toolc.generate.draft import Document
from toolc.generate.tables.operations import (
    Count,
    Find,
    Get,
    Operation,
    Rank,
    Set,
    Summary,
    key_parameter,
    own,
)
from toolc.generate.tables.schema import Column, Schema, Table
from toolc.generate.tables.words import a, phrase, role

SHOWN = 8
"""Columns that a description lists."""


def document(operation: Operation, schema: Schema) -> Document:
    """The documentation of an operation's tool."""
    table = schema.tables[operation.table]
    return _DOCUMENTS[type(operation)](operation, table, schema)


def _listed(texts: Iterable[str]) -> str:
    found = list(texts)
    if len(found) < 2:
        return "".join(found)
    return ", ".join(found[:-1]) + " and " + found[-1]


def _about(column: Column, schema: Schema) -> str:
    if column.refers:
        return role(column.name, schema.target(column).noun)
    return phrase(column.name, column.type)


def _filters(it: Any, table: Table, schema: Schema) -> dict[str, str]:
    many = table.noun.many
    texts = {}
    for name in (*it.filters, *it.optional):
        column = table.columns[name]
        about = _about(column, schema)
        if column.refers:
            target = schema.target(column)
            texts[name] = f"Only {many} with this {about}, given by its {phrase(target.single)}."
        elif column.type == "bool":
            texts[name] = f"Only {many} for which “{about}” is so."
        else:
            texts[name] = f"Only {many} with this {about}."
    return texts


def _scope(it: Any, table: Table, schema: Schema) -> str:
    """`of a given customer`: how filters narrow the rows down."""
    names = [_about(table.columns[name], schema) for name in it.filters]
    given = f" of a given {_listed(names)}" if names else ""
    further = ", all or those that pass the filters" if it.optional and not names else ""
    return given + further


def _get(it: Get, table: Table, schema: Schema) -> Document:
    one = table.noun.one
    names = [_about(table.columns[name], schema) for name in it.columns]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    shown = ", ".join(names[:SHOWN]) + more if more else _listed(names)
    by = _listed(phrase(name) for name in it.by)
    gaps = any(table.columns[name].optional for name in it.columns) and not it.plain
    missing = " What is not known is null." if gaps else ""
    parameters = {key_parameter(table, name): _key(table, name) for name in it.by}
    return Document(f"Look up {a(one)} by its {by}: {shown}.{missing}", parameters)


def _key(table: Table, name: str) -> str:
    column = table.columns[name]
    about = phrase(name, column.type)
    return f"The {about}." if table.noun.one in about else f"The {about} of the {table.noun.one}."


def _count(it: Count, table: Table, schema: Schema) -> Document:
    many = table.noun.many
    return Document(f"Count the {many}{_scope(it, table, schema)}.", _filters(it, table, schema))


def _summary(it: Summary, table: Table, schema: Schema) -> Document:
    what = _listed(phrase(name, table.columns[name].type) for name in it.measures)
    many, scope = table.noun.many, _scope(it, table, schema)
    kinds = _listed(it.statistics)
    about = f"the {kinds} {what}" if len(it.measures) == 1 else f"the {kinds} of a figure"
    whole = all(table.columns[name].type == "int" for name in it.measures)
    rounded = "" if whole and "average" not in it.statistics else ", rounded to two decimals"
    if it.rounds:
        rounded = ""
    gaps = any(table.columns[name].optional for name in it.measures)
    missing = f" {many.capitalize()} without the figure do not count." if gaps else ""
    parameters = _filters(it, table, schema)
    parameters[own(table, "statistic")] = "What to work out."
    parameters[own(table, "measure")] = f"The figure: {what}."
    parameters[own(table, "decimals")] = "Decimals that the result is rounded to."
    return Document(f"Work out {about} of the {many}{scope}{rounded}.{missing}", parameters)


_FIRST = {"descending": "highest", "ascending": "lowest"}


def _rank(it: Rank, table: Table, schema: Schema) -> Document:
    one, many, scope = table.noun.one, table.noun.many, _scope(it, table, schema)
    what = _listed(phrase(name, table.columns[name].type) for name in it.measures)
    key = phrase(table.single)
    ties = f" Those that tie come in the order of their {key}."
    parameters = _filters(it, table, schema)
    parameters[own(table, "measure")] = f"The figure to go by: {what}."
    parameters[own(table, "order")] = "Descending puts the highest figure first."
    parameters[own(table, "limit")] = f"At most this many {many}."
    extreme = " or ".join(_FIRST[order] for order in it.orders)
    if it.several:
        text = f"List the {many}{scope} in the order of {a('figure')}, with {key} and value."
        if len(it.measures) == 1:
            text = f"List the {many}{scope} by their {what}, with {key} and value."
        if len(it.orders) == 1:
            text += f" The {extreme} value comes first."
        return Document(text + ties, parameters)
    figure = what if len(it.measures) == 1 else "figure of a kind"
    text = f"Find the {one} with the {extreme} {figure} among the {many}{scope}: its {key}."
    return Document(text + ties, parameters)


def _find(it: Find, table: Table, schema: Schema) -> Document:
    text = (
        f"List the {table.noun.many}{_scope(it, table, schema)}, by their {phrase(table.single)}."
    )
    return Document(text, _filters(it, table, schema))


def _set(it: Set, table: Table, schema: Schema) -> Document:
    what = phrase(it.column, table.columns[it.column].type)
    parameters = {
        key_parameter(table, table.single): _key(table, table.single),
        it.column: f"The new {what}.",
    }
    return Document(f"Change the {what} of {a(table.noun.one)}.", parameters)


_DOCUMENTS: Mapping[type, Callable[[Any, Table, Schema], Document]] = {
    Get: _get,
    Count: _count,
    Summary: _summary,
    Rank: _rank,
    Find: _find,
    Set: _set,
}
