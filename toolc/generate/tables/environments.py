"""From a folder of data to drafts of environments: what the first stage writes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from random import Random
from typing import Any, NamedTuple

from toolc.generate.decompose import Question, SubQuestion, decompose
from toolc.generate.draft import Draft, Json
from toolc.generate.tables import planning
from toolc.generate.tables.inference import enum_name, environments, infer
from toolc.generate.tables.operations import Operation, to_json
from toolc.generate.tables.questions import Sketch, World, sketches
from toolc.generate.tables.reading import Aside, Note, Read
from toolc.generate.tables.schema import Column, Schema, Table
from toolc.generate.tables.source import declared, narrow_name
from toolc.generate.tables.wording import SYSTEM
from toolc.generate.tables.words import ascii_words, phrase
from toolc.importing import spec
from toolc.importing.names import MAX_NAME, identifier, one_of, pascal, unique, words
from toolc.node import NOWHERE
from toolc.syntax import tree


class Wishes(NamedTuple):
    """What is asked of a generation: its seed, how many tasks, the share of each kind, whether
    tasks write, and the deepest and widest plans."""

    seed: int = 0
    tasks: int = 240
    kinds: Mapping[str, float] = {}
    writes: bool = False
    depth: int = 3
    width: int = 3


class Begun(NamedTuple):
    """An environment's first draft and its data files, JSON text by name."""

    draft: Draft
    files: Mapping[str, str]


class Beginning(NamedTuple):
    environments: tuple[Begun, ...]
    notes: tuple[Note, ...]
    aside: tuple[Aside, ...]


def begin(read: Read, wishes: Wishes) -> Beginning:
    """Drafts of environments from tables: declared tools and scenarios."""
    notes, aside = list(read.notes), list(read.aside)
    schemas: dict[str, Schema] = {}
    for folder, raws in groupby(read.tables, key=lambda raw: raw.folder):
        inferred = infer(list(raws))
        notes += inferred.notes
        aside += inferred.aside
        sizes = {table.name: len(table.rows) for table in inferred.tables}
        for group in environments(inferred.tables):
            notes += [
                Note(table.source, f"{len(table.rows)} of {sizes[table.name]:,} rows are used")
                for table in group
                if len(table.rows) < sizes[table.name]
            ]
            schema = _named(folder, group, schemas)
            schemas[schema.name] = schema
    found: dict[str, list[Sketch]] = {}
    for name, schema in schemas.items():
        world = World(schema, Random(f"{wishes.seed} {name}"), wishes.depth, wishes.width)
        found[name] = sketches(world, wishes.writes)
    sources = {
        name: {table.name: table.source for table in schema.tables.values()}
        for name, schema in schemas.items()
    }
    chosen = planning.choose(found, _wanted(wishes), sources, wishes.seed)
    made = []
    for name, schema in schemas.items():
        if chosen[name]:
            made.append(_begun(schema, chosen[name], wishes.seed))
        else:
            subject = ", ".join(sources[name].values())
            notes.append(Note(subject, "nothing is asked of it: too little to tell rows apart by"))
    return Beginning(tuple(made), tuple(notes), tuple(aside))


def _wanted(wishes: Wishes) -> dict[str, int]:
    whole = sum(wishes.kinds.values())
    return {
        kind: round(wishes.tasks * share / whole) for kind, share in wishes.kinds.items() if share
    }


def _named(folder: str, group: Sequence[Table], taken: Mapping[str, Schema]) -> Schema:
    """The schema of an environment, called by its folder and its first table."""
    parts = [part for part in folder.split("/") if ascii_words(part) not in ("", "data", "tables")]
    above = "_".join(ascii_words(parts[-1]).split(" ")) if parts else ""
    name = f"{above}_{group[0].name}" if above else group[0].name
    name = unique(identifier(name.lower()[: MAX_NAME - 4], "tables"), taken)
    types: set[str] = set()
    tables = {}
    for table in group:
        types.add(_record_name(table))
        columns = {}
        for column in table.columns.values():
            if column.values and not column.refers:
                enum = unique(enum_name(table, column), types)
                types.add(enum)
                column = column._replace(enum=enum)
            columns[column.name] = column
        tables[table.name] = table._replace(columns=columns)
    return Schema(name, tables)


def _record_name(table: Table) -> str:
    return pascal("_".join(table.noun.one.split(" "))) or pascal(one_of(table.name))


# ---------------------------------------------------------------- one environment


def _begun(schema: Schema, chosen: Sequence[planning.Chosen], seed: int) -> Begun:
    tools: dict[str, tuple[tree.Tool, Json]] = {}
    names: dict[tuple[type, Operation], str] = {}

    def tool(operation: Operation) -> str:
        if (type(operation), operation) not in names:
            table = schema.tables[operation.table]
            name = names[type(operation), operation] = unique(narrow_name(operation, table), tools)
            tools[name] = (declared(name, operation, schema), to_json(operation))
        return names[type(operation), operation]

    questions = [_question(each, tool) for each in chosen]
    system = Random(f"{seed} system {schema.name}").choice(SYSTEM)
    draft = decompose(_data(schema, seed), tools, questions, system)
    files = {f"data/{table.name}.json": _rows(table) for table in schema.tables.values()}
    return Begun(draft, files)


def _question(chosen: planning.Chosen, tool: Any) -> Question:
    sketch = chosen.sketch
    about = ", ".join(" ".join(words(part)) for part in sketch.about if isinstance(part, str))
    steps = [
        SubQuestion(ask.question, tool(ask.operation), ask.arguments, ask.binder)
        for ask in sketch.steps
    ]
    return Question(
        f"{sketch.pattern}: {about}",
        sketch.binder,
        sketch.source,
        sketch.condition,
        chosen.tasks,
        sketch.user,
        steps,
        sketch.answer,
    )


def _data(schema: Schema, seed: int) -> list[tree.Item]:
    """The environment, its types and its tables."""
    nouns = [table.noun.many for table in schema.tables.values()]
    listed = ", ".join(nouns[:-1]) + " and " + nouns[-1] if len(nouns) > 1 else nouns[0]
    head = tree.Environment(
        NOWHERE,
        spec.label(schema.name),
        tree.Text(NOWHERE, f"Records of {listed}."),
        spec.described("1.0"),
        None,
        tree.Number(NOWHERE, str(seed)),
    )
    types: list[tree.Item] = []
    tables: list[tree.Item] = []
    for table in schema.tables.values():
        for column in table.columns.values():
            if column.enum:
                values = tuple(tree.Text(NOWHERE, text) for text in column.values)
                about = f"{phrase(column.name).capitalize()} of {table.noun.many}."
                types.append(
                    tree.Enum(NOWHERE, spec.label(column.enum), spec.described(about), values)
                )
    for table in schema.tables.values():
        members = tuple(_member(column) for column in table.columns.values())
        name = _record_name(table)
        types.append(tree.Record(NOWHERE, spec.label(name), None, members, False))
        keys = tuple(tree.Key(NOWHERE, spec.label(each), None) for each in table.key)
        path = tree.Argument(NOWHERE, None, tree.String(NOWHERE, f"data/{table.name}.json"))
        rows = tree.Call(NOWHERE, tree.Ref(NOWHERE, "file"), (path,))
        tables.append(tree.Table(NOWHERE, spec.label(table.name), keys, spec.scalar(name), rows))
    return [head, *types, *tables]


def _member(column: Column) -> tree.Field:
    kind = spec.scalar(column.enum or column.type)
    if column.refers:
        kind = tree.RefType(NOWHERE, spec.label(column.refers))
    if column.optional:
        kind = spec.optional(kind)
    described = f"Called “{column.original[:80]}” in the data." if column.original else None
    return spec.field(column.name, kind, description=described)


def _rows(table: Table) -> str:
    encode = json.JSONEncoder(ensure_ascii=False).encode
    lines = ",\n".join(encode(dict(row)) for row in table.rows)
    return f"[\n{lines}\n]\n"
