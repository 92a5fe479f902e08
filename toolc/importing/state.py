"""JSON data to tables and states, with the types that their values suggest.

An object is one of states and tables by name; a list, or an object of rows, is one table. Rows
go to data files, as they are: what a build loads equals what was read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from toolc.importing import spec
from toolc.importing.infer import Inference, Place, Target, share_labels
from toolc.importing.names import NAME, attribute, one_of, pascal, unique, words
from toolc.importing.spec import Imported, Note, Types, Unreadable
from toolc.node import NOWHERE
from toolc.syntax import tree

MAX_KEY = 400
"""Longest text that is a key."""

Row = Mapping[str, Any]


class _Table(NamedTuple):
    """A table that was found: its rows as in the data, and where its key is."""

    name: str
    value: Any
    rows: Sequence[Row]
    key: str
    outside: bool
    keys: Sequence[Any]


def import_data(document: Any, stem: str) -> Imported:
    """The tables and states of a JSON document; `stem` names a single one. Raises `Unreadable`."""
    if not isinstance(document, dict | list):
        raise Unreadable("expected an object of tables and states, or a list of rows")
    single = isinstance(document, list) or _is_table_alone(document)
    parts = dict(document) if isinstance(document, dict) and not single else {stem: document}
    notes: list[Note] = []
    names: dict[str, Any] = {}
    for label, value in parts.items():
        name = unique(attribute(label, "state"), names)
        if name != label and not single:
            notes.append(Note(label or '""', "", f"it is called `{name}` here"))
        names[name] = value
    tables = {name: table for name, value in names.items() if (table := _table(name, value))}
    types = Types()
    targets = [
        Target(table.name, "" if table.outside else table.key, frozenset(table.keys))
        for table in tables.values()
        if table.keys
    ]
    inference = Inference(types, targets)
    declared: list[tree.Item] = []
    files: dict[str, Any] = {}
    for name, value in names.items():
        table = tables.get(name)
        if table is None:
            declared.append(_state(name, value, inference))
        else:
            path = f"data/{name}.json"
            files[path] = value
            declared.append(_declared(table, path, inference))
    declared.sort(key=lambda item: isinstance(item, tree.State))
    return Imported((*types.items.values(), *declared), tuple(notes), files)


# ---------------------------------------------------------------- states


def _state(name: str, value: Any, inference: Inference) -> tree.Item:
    kind = inference.type([value], Place(name, (pascal(one_of(name)),)))
    literal = spec.literal(kind, value, inference.types.items)
    return tree.State(NOWHERE, spec.label(name), kind, literal)


# ---------------------------------------------------------------- tables


def _is_table_alone(document: Row) -> bool:
    """Whether an object is the rows of one table, rather than several tables and states."""
    table = _table("rows", document)
    return table is not None and (not table.outside or not all(map(NAME.fullmatch, document)))


def _table(name: str, value: Any) -> _Table | None:
    """The table that a value is, if it is one."""
    rows = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(rows, list) or not rows:
        return None
    if not all(isinstance(row, dict) for row in rows):
        return None
    if any(label.startswith("__") for row in rows for label in row):
        return None
    if isinstance(value, list):
        key = _inner_key(name, rows)
        return _Table(name, value, rows, key, False, [row[key] for row in rows]) if key else None
    if len(value) > 1 and not share_labels(rows):
        return None
    if any(len(key) > MAX_KEY for key in value):
        return None
    for label in rows[0]:
        if NAME.fullmatch(label) and all(
            _is_key(row.get(label), key) for key, row in value.items()
        ):
            return _Table(name, value, rows, label, False, [row[label] for row in rows])
    if len(value) == 1 and all(map(NAME.fullmatch, value)):
        return None
    taken = {label for row in rows for label in row}
    key = next(each for each in ("id", "key", "row_key", unique("key", taken)) if each not in taken)
    return _Table(name, value, rows, key, True, list(value))


def _is_key(value: Any, key: str) -> bool:
    """Whether a row's field holds the key that the row stands under."""
    return value == key if isinstance(value, str) else type(value) is int and str(value) == key


def _inner_key(name: str, rows: Sequence[Row]) -> str:
    """The field that identifies the rows of a list, or `""`."""
    one = one_of(name)
    preferred = ("id", f"{one}_id", "key", f"{one}_key", "uuid", "code", "sku", "slug", "name", one)
    labels = [label for label in rows[0] if NAME.fullmatch(label)]
    others = [label for label in labels if words(label)[-1:] == ("id",)]
    for label in (*preferred, *others):
        if label in labels:
            values = [row.get(label) for row in rows]
            kinds = {type(value) for value in values}
            if kinds in ({str}, {int}) and len(set(values)) == len(rows):
                return label
    return ""


def _declared(table: _Table, path: str, inference: Inference) -> tree.Item:
    place = Place(table.name, (pascal(one_of(table.name)),), refers=True)
    row = inference.row(table.rows, place, key=None if table.outside else table.key)
    kind = spec.scalar("str") if table.outside else None
    key = tree.Key(NOWHERE, spec.label(table.key), kind)
    argument = tree.Argument(NOWHERE, None, tree.String(NOWHERE, path))
    rows = tree.Call(NOWHERE, tree.Ref(NOWHERE, "file"), (argument,))
    return tree.Table(NOWHERE, spec.label(table.name), (key,), row, rows)
