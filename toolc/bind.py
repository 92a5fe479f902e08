"""Rows of data as the values of a table: converted, checked against the record's schema, keyed.

References are looked up once every table is there, so tables may refer to each other. What is
wrong is told at its cell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from toolc.analysis import types as t
from toolc.analysis.core import EnvironmentDef, TableDef
from toolc.analysis.types import FieldType, Type
from toolc.data import Rows, parse_json
from toolc.diagnostics.diagnostic import Reporter
from toolc.files import DataError
from toolc.node import Span
from toolc_runtime.schema import Check, Problem
from toolc_runtime.values import key_text, plain, quote

MOST = 5
"""Wrong rows that are told of one table."""

Tables = dict[str, dict[Any, Any]]
"""The rows of each table by key; a composite key is a tuple."""


class Checks(NamedTuple):
    """The compiled schemas of a table: of its row, and of each part of its key."""

    row: Check
    keys: tuple[Check, ...]


class _Entry(NamedTuple):
    """A row as the data has it. `keys` are the parts of a key that stands beside the row."""

    keys: tuple[Any, ...] | None
    row: Any


class _Data(NamedTuple):
    """Where the rows of a table come from; `span` takes a row's index and a path within it."""

    path: str
    entries: list[_Entry]
    span: Callable[..., Span]
    key_span: Callable[[int], Span]


class Binder:
    """Binds the tables of one environment; `reports` has a reporter a file."""

    def __init__(self, environment: EnvironmentDef, checks: Mapping[str, Checks]) -> None:
        self.environment = environment
        self.checks = checks
        self.reports: dict[str, Reporter] = {}
        self.tables: Tables = {}
        self.keys: dict[str, list[Any]] = {}

    def bind(self, data: Mapping[str, Rows]) -> Tables:
        """All tables, by name; wrong rows are reported and left out."""
        sources = {
            table.name: _inline(self.environment, table)
            if table.file is None
            else _from_file(table, data[table.name])
            for table in self.environment.tables
        }
        for table in self.environment.tables:
            self._bind_table(table, sources[table.name])
        for table in self.environment.tables:
            self._check_references(table, sources[table.name])
        return self.tables

    def _reporter(self, path: str) -> Reporter:
        return self.reports.setdefault(path, Reporter(path))

    def _bind_table(self, table: TableDef, data: _Data) -> None:
        rows = self.tables[table.name] = {}
        keys = self.keys[table.name] = []
        reporter = _Few(self._reporter(data.path))
        checks = self.checks[table.name]
        for index, entry in enumerate(data.entries):
            problems: list[Problem] = []
            row = checks.row(entry.row, (), problems)
            if problems:
                path = _steps(entry.row, problems[0].path)
                message = (
                    ".".join(map(str, path)) + " " + problems[0].message
                    if path
                    else problems[0].message
                )
                reporter.report(
                    "TC0410", data.span(index, *path), table=table.name, problem=message
                )
                keys.append(None)
                continue
            parts = self._key(table, entry, row, checks, problems)
            if problems:
                span = data.key_span(index)
                reporter.report("TC0412", span, table=table.name, problem=problems[0].message)
                keys.append(None)
                continue
            key = parts[0] if len(parts) == 1 else parts
            keys.append(key)
            if key in rows:
                span = data.key_span(index) if entry.keys else data.span(index, table.keys[0][0])
                reporter.report("TC0411", span, table=table.name, key=key_text(key))
            else:
                rows[key] = row
        reporter.finish()

    def _key(
        self, table: TableDef, entry: _Entry, row: Any, checks: Checks, problems: list[Problem]
    ) -> tuple[Any, ...]:
        if not table.outside:
            parts = tuple(row.get(name) for name, _ in table.keys)
            beside = entry.keys and tuple(map(key_text, entry.keys))
            if beside and beside != (key_text(parts[0] if len(parts) == 1 else list(parts)),):
                message = f"the key {quote(beside[0])} is not that of its row"
                problems.append(Problem("", message))
            return parts
        if entry.keys is None or len(entry.keys) != len(table.keys):
            names = ", ".join(f"`{name}`" for name, _ in table.keys)
            problems.append(Problem("", f"the row has no key {names}"))
            return ()
        pairs = zip(checks.keys, entry.keys, strict=True)
        return tuple(_part(check, part, problems) for check, part in pairs)

    def _check_references(self, table: TableDef, data: _Data) -> None:
        find = references(table.row)
        if find is None:
            return
        reporter = _Few(self._reporter(data.path))
        rows = self.tables[table.name]
        for index, key in enumerate(self.keys[table.name]):
            for path, target, value in find(rows[key]) if key in rows else ():
                if value not in self.tables[target]:
                    span = data.span(index, *path)
                    reporter.report(
                        "TC0413",
                        span,
                        field=next((step for step in path[::-1] if isinstance(step, str)), ""),
                        key=key_text(value),
                        table=target,
                    )
        reporter.finish()


class _Few:
    """Reports the first few findings of a table, and how many more there are."""

    def __init__(self, reporter: Reporter) -> None:
        self.reporter = reporter
        self.held: list[tuple[str, Span, dict[str, Any]]] = []
        self.count = 0

    def report(self, code: str, span: Span, **values: Any) -> None:
        self.count += 1
        if self.count <= MOST:
            self.held.append((code, span, values))

    def finish(self) -> None:
        for code, span, values in self.held:
            more = self.count - MOST
            help = (
                (f"{more} more of this table",) if more > 0 and values is self.held[-1][2] else ()
            )
            self.reporter.report(code, span, help=help, **values)


def _steps(value: Any, pointer: str) -> tuple[str | int, ...]:
    """A JSON pointer as labels and indexes of this value."""
    path: list[str | int] = []
    for part in pointer.split("/")[1:]:
        label = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list):
            path.append(int(label))
            value = value[int(label)]
        else:
            path.append(label)
            value = value.get(label) if isinstance(value, dict) else None
    return tuple(path)


def _part(check: Check, part: Any, problems: list[Problem]) -> Any:
    """A part of a key; the keys of a JSON object are text, also those that stand for numbers."""
    found: list[Problem] = []
    value = check(part, (), found)
    if found and isinstance(part, str):
        again: list[Problem] = []
        value = check(_json(part), (), again)
        found = again and found
    problems.extend(found)
    return value


# ---------------------------------------------------------------- sources


def _inline(environment: EnvironmentDef, table: TableDef) -> _Data:
    """Rows in the spec; where the key is outside the row, each stands beside its key."""
    spans = [span for span, _ in table.rows]
    values = [plain(value) for _, value in table.rows]
    entries = [
        _Entry((value[0],), value[1]) if table.outside else _Entry(None, value) for value in values
    ]

    def span_of(index: int, *path: str | int) -> Span:
        return spans[index]

    return _Data(environment.paths[0], entries, span_of, span_of)


def _from_file(table: TableDef, data: Rows) -> _Data:
    rows: Iterable[Any] = data.rows
    if data.format == "csv":
        columns = _columns(table)
        rows = [
            {
                name: cell
                for name, text in row.items()
                if (cell := columns.get(name, _as_it_is)(text)) is not _ABSENT
            }
            for row in data.rows
        ]
    if data.keys is None:
        entries = [_split(table, row) for row in rows]
    else:
        entries = [
            _Entry(_beside(table, key), row) for key, row in zip(data.keys, rows, strict=True)
        ]
    return _Data(data.path, entries, data.span, data.key_span)


def _beside(table: TableDef, text: str) -> tuple[Any, ...]:
    """A key of a JSON object of rows, in its parts."""
    if len(table.keys) == 1 or not table.outside:
        return (text,)
    try:
        parts = parse_json(text)
    except DataError:
        return (text,)
    return tuple(parts) if isinstance(parts, list) else (text,)


def _split(table: TableDef, row: Any) -> _Entry:
    """A row that holds its key; where the key belongs outside, it is taken out."""
    names = [name for name, _ in table.keys]
    if not table.outside or not isinstance(row, dict) or not all(name in row for name in names):
        return _Entry(None, row)
    rest = {name: value for name, value in row.items() if name not in names}
    return _Entry(tuple(row[name] for name in names), rest)


# ---------------------------------------------------------------- CSV cells

_ABSENT = object()
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")
_FLOAT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
_BOOLS = {"true": True, "false": False, "True": True, "False": False, "TRUE": True, "FALSE": False}

Cell = Callable[[str], Any]


def _columns(table: TableDef) -> dict[str, Cell]:
    row = t.strip(table.row)
    members = row.members if isinstance(row, t.Record) else ()
    keys = {name: _cell(kind) for name, kind in table.keys} if table.outside else {}
    return keys | {member.name: _field(member) for member in members}


def _field(member: FieldType) -> Cell:
    cell = _cell(member.type)
    if not (member.optional or member.has_default) or (
        member.has_default and t.is_text(member.type)
    ):
        return cell
    return lambda text: cell(text) if text else _ABSENT


def _cell(kind: Type) -> Cell:
    """The JSON value of a cell's text; text that is none stays text, for the schema to refuse."""
    bare = t.strip(kind)
    if isinstance(bare, t.Optional):
        inner = _cell(bare.inner)
        return lambda text: inner(text) if text else None
    if isinstance(bare, t.Scalar):
        return _SCALARS.get(bare.name, _as_it_is)
    return _as_it_is if isinstance(bare, (t.Literals, t.Enum)) else _json


def _as_it_is(text: str) -> Any:
    return text


def _int(text: str) -> Any:
    return int(text) if _INTEGER.fullmatch(text) else text


def _float(text: str) -> Any:
    value = float(text) if _FLOAT.fullmatch(text) else math.inf
    return value if math.isfinite(value) else text


def _bool(text: str) -> Any:
    return _BOOLS.get(text, text)


def _json(text: str) -> Any:
    try:
        return parse_json(text)
    except DataError:
        return text


_SCALARS: dict[str, Cell] = {"int": _int, "float": _float, "bool": _bool, "json": _json}


# ---------------------------------------------------------------- references

Reference = tuple[tuple[str | int, ...], str, Any]
"""The path within a row, the table referred to, the key."""
Find = Callable[[Any], Iterator[Reference]]


def references(kind: Type) -> Find | None:
    """What finds the references in a value of a type; None where the type has none."""
    return _find(kind, {})


def _find(kind: Type, known: dict[str, list[Find | None]]) -> Find | None:
    if isinstance(kind, t.Refined):
        return _find(kind.inner, known)
    make = _FINDERS.get(type(kind))
    return make(kind, known) if make else None


def _find_ref(kind: t.Ref, known: dict[str, list[Find | None]]) -> Find:
    def find(value: Any) -> Iterator[Reference]:
        yield (), kind.table, value

    return find


def _find_optional(kind: t.Optional, known: dict[str, list[Find | None]]) -> Find | None:
    inner = _find(kind.inner, known)
    return inner and (lambda value: iter(()) if value is None else inner(value))


def _find_list(kind: t.List, known: dict[str, list[Find | None]]) -> Find | None:
    inner = _find(kind.item, known)
    return inner and (lambda value: _below(inner, enumerate(value)))


def _find_dict(kind: t.Dict, known: dict[str, list[Find | None]]) -> Find | None:
    key, inner = _find(kind.key, known), _find(kind.value, known)
    if key is None and inner is None:
        return None

    def find(value: Any) -> Iterator[Reference]:
        if key is not None:
            yield from _below(key, ((name, name) for name in value))
        if inner is not None:
            yield from _below(inner, value.items())

    return find


def _below(find: Find, members: Iterable[tuple[Any, Any]]) -> Iterator[Reference]:
    for label, member in members:
        for path, table, key in find(member):
            yield (label, *path), table, key


def _find_record(kind: t.Record | t.Case, known: dict[str, list[Find | None]]) -> Find | None:
    name = t.show(kind) if isinstance(kind, t.Case) else kind.name
    if name in known:
        held = known[name]  # a recursive record: what it finds is known once all of it was seen
        return lambda value: held[0](value) if held[0] else iter(())
    cell: list[Find | None] = [None]
    if name:
        known[name] = cell
    finders = [(each.name, find) for each in kind.members if (find := _find(each.type, known))]
    if not finders:
        return None

    def find_all(value: Any) -> Iterator[Reference]:
        for label, find in finders:
            if value.get(label) is not None:
                yield from _below(find, ((label, value[label]),))

    cell[0] = find_all
    return find_all


def _find_union(kind: t.Union, known: dict[str, list[Find | None]]) -> Find | None:
    cases = {tag: find for tag, case in kind.cases.items() if (find := _find(case, known))}
    if not cases:
        return None

    def find_all(value: Any) -> Iterator[Reference]:
        case = cases.get(value[kind.tag])
        return case(value) if case else iter(())

    return find_all


_FINDERS: dict[type[Type], Callable[[Any, dict[str, list[Find | None]]], Find | None]] = {
    t.Ref: _find_ref,
    t.Optional: _find_optional,
    t.List: _find_list,
    t.Dict: _find_dict,
    t.Record: _find_record,
    t.Case: _find_record,
    t.Union: _find_union,
}
