"""Transformations of tools that work on tables, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random

from toolc.generate.draft import Adapter, Change, Draft
from toolc.generate.scale import Scaling, Transformation
from toolc.generate.tables.operations import Count, Find, Get, Operation, Rank, Summary, from_json
from toolc.generate.tables.schema import Schema, Table, schema_of
from toolc.generate.tables.source import change_of, gap, narrow_name
from toolc.importing.names import unique

MOST_FILTERS = 2
"""Optional filters that one tool is given."""
MOST_FURTHER = 3
"""Tools that no plan needs."""


def _operations(draft: Draft) -> Iterator[tuple[str, Operation]]:
    for name in draft.tools:
        if name in draft.meanings:
            yield name, from_json(draft.meanings[name])


def more_filters(draft: Draft, random: Random) -> Scaling:
    """Tools that go over many rows take further filters, which may be left out."""
    schema = schema_of(draft.items)
    changes = []
    for name, it in _operations(draft):
        if not isinstance(it, (Count, Summary, Rank, Find)):
            continue
        table = schema.tables[it.table]
        free = [
            column.name
            for column in table.columns.values()
            if (column.enum or column.refers or column.type == "bool")
            and not column.key
            and column.name not in (*it.filters, *it.optional)
        ]
        chosen = random.sample(free, min(len(free), random.randint(0, MOST_FILTERS)))
        if chosen:
            wider = it._replace(optional=(*it.optional, *chosen))
            changes.append(change_of(name, wider, schema, {name: Adapter()}))
    return Scaling(changes)


def several_results(draft: Draft, random: Random) -> Scaling:
    """Rankings give a list, as long as is asked for, in place of the first alone."""
    schema = schema_of(draft.items)
    changes = []
    for name, it in _operations(draft):
        if isinstance(it, Rank) and not it.several:
            key = schema.tables[it.table].single
            wider = it._replace(several=True)
            changes.append(change_of(name, wider, schema, {name: Adapter(path=(0, key))}))
    return Scaling(changes)


def choice_of_decimals(draft: Draft, random: Random) -> Scaling:
    """Some summaries are rounded to as many decimals as is asked for."""
    schema = schema_of(draft.items)
    changes = [
        change_of(name, it._replace(rounds=True), schema, {name: Adapter()})
        for name, it in _operations(draft)
        if isinstance(it, Summary) and not it.rounds and not _whole(it, schema)
        if random.random() < 0.5
    ]
    return Scaling(changes)


def _whole(it: Summary, schema: Schema) -> bool:
    columns = schema.tables[it.table].columns
    ints = all(columns[name].type == "int" for name in it.measures)
    return ints and "average" not in it.statistics


def wider_records(draft: Draft, random: Random) -> Scaling:
    """Lookups tell more columns than plans ask for."""
    schema = schema_of(draft.items)
    changes = []
    for name, it in _operations(draft):
        if not isinstance(it, Get):
            continue
        table = schema.tables[it.table]
        if gap(it, table):
            continue
        free = [each for each in table.columns if each not in (*it.columns, *table.key, *it.by)]
        chosen = random.sample(free, min(len(free), random.randint(1, 3)))
        if chosen:
            wider = it._replace(columns=(*it.columns, *chosen), plain=False)
            adapter = Adapter(path=(it.columns[0],)) if it.plain else Adapter()
            changes.append(change_of(name, wider, schema, {name: adapter}))
    return Scaling(changes)


def distractor_tools(draft: Draft, random: Random) -> Scaling:
    """Tools beside those that plans need."""
    schema = schema_of(draft.items)
    covered = {(type(each), each.table) for _, each in _operations(draft)}
    free = [
        (operation, table)
        for table in schema.tables.values()
        for operation in _possible(table)
        if (type(operation), table.name) not in covered
    ]
    taken = set(draft.tools)
    further: list[Change] = []
    for operation, table in random.sample(free, min(len(free), MOST_FURTHER)):
        name = unique(narrow_name(operation, table), taken)
        taken.add(name)
        further.append(change_of(name, operation, schema, {}))
    return Scaling(further=further)


def _possible(table: Table) -> Iterator[Operation]:
    filters = [column.name for column in table.columns.values() if column.enum or column.refers]
    columns = [each for each in table.columns if each not in table.key]
    if columns and not table.numbered:
        yield Get(table.name, table.key, tuple(columns[:4]), plain=len(columns) == 1)
    for name in filters[:1]:
        yield Count(table.name, (name,))
        if table.single and not table.numbered:
            yield Find(table.name, (name,))


TRANSFORMATIONS: Mapping[str, Transformation] = {
    "more_filters": more_filters,
    "several_results": several_results,
    "choice_of_decimals": choice_of_decimals,
    "wider_records": wider_records,
    "distractor_tools": distractor_tools,
}
