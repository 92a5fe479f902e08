"""Types, keys and references of raw tables, from their cells and names.

Each guess holds for every cell of the table. Cells that a column of numbers does not have as
numbers are missing where they say so (`n/a`); else the column is text.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from toolc.generate.tables.reading import Aside, Note, Raw, canonical_cell
from toolc.generate.tables.schema import LOCALS, NUMBER, Column, Row, Table, label_of
from toolc.generate.tables.words import ascii_words, noun_of
from toolc.importing.names import attribute, one_of, pascal, singular, unique, words
from toolc_runtime.errors import Malformed
from toolc_runtime.values import FORMATS, plain

MAX_VALUES = 12
"""Most texts of an enumeration."""
REPEATS = 3
"""How often each of them occurs on average, at the least."""
LONGEST = 60
"""Characters of the longest text that stands in a sentence."""
FAULTY = 0.05
"""The part of a key's cells that may be missing or twice; their rows are set aside."""
EXACT = 2**53

_MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "nil", "-", "--", "?", "."))
_INT = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]{1,3})?")
_DATES = {"date": "date", "datetime": "date-time-local", "time": "time-local"}
_NAMES = frozenset(
    (
        "name",
        "title",
        "email",
        "id",
        "code",
        "key",
        "phone",
        "address",
        "note",
        "description",
        "comment",
    )
)
_KEYS = ("id", "key", "code", "sku", "slug", "uuid", "number", "login", "isbn", "name", "title")


class Inferred(NamedTuple):
    tables: tuple[Table, ...]
    notes: tuple[Note, ...]
    aside: tuple[Aside, ...]


class _Typing(NamedTuple):
    """A table whose columns have types, and no key yet."""

    raw: Raw
    name: str
    columns: Mapping[str, Column]
    rows: Sequence[Row]


def infer(raws: Sequence[Raw]) -> Inferred:
    """The tables of one folder, with their types, keys and the references between them."""
    notes: list[Note] = []
    aside: list[Aside] = []
    typed: dict[str, _Typing] = {}
    for raw in raws:
        name = unique(_name(raw, notes), typed)
        typing = _columns(raw, name, notes)
        if typing is not None:
            typed[name] = typing
    tables = {name: _table(each, typed, notes, aside) for name, each in typed.items()}
    sources = {name: each.raw for name, each in typed.items()}
    made = (_referring(table, tables, sources, notes) for table in tables.values())
    return Inferred(tuple(made), tuple(notes), tuple(aside))


def _name(raw: Raw, notes: list[Note]) -> str:
    made = "_".join(ascii_words(raw.name).split(" "))
    name = attribute(made, "rows")
    if name in _RESERVED | LOCALS:
        name += "_rows"
    if made.replace("_", "") != "".join(words(raw.name)) or name != made:
        notes.append(Note(raw.source, f"the table is called `{name}`"))
    return name


_RESERVED = frozenset(("file", "state", "table", "calls", "turns", "now", "today"))


# ---------------------------------------------------------------- one table


def _columns(raw: Raw, name: str, notes: list[Note]) -> _Typing | None:
    columns: dict[str, Column] = {}
    cells: dict[str, Sequence[Any]] = {}
    for label in raw.columns:
        read = _typed([row.get(label) for row in raw.rows], raw.textual)
        subject = f"{raw.source} column `{label[:80]}`"
        if read is None:
            notes.append(Note(subject, "left out: it holds lists or objects"))
            continue
        if all(cell is None for cell in read.cells):
            notes.append(Note(subject, "left out: it holds nothing"))
            continue
        for reason in read.notes:
            notes.append(Note(subject, reason))
        text = "_".join(ascii_words(label).split(" "))
        column = unique(attribute(text, f"column_{len(columns) + 1}"), (*columns, NUMBER))
        columns[column] = Column(
            column,
            read.type,
            optional=any(cell is None for cell in read.cells),
            spoken=read.type != "str" or all(map(_spoken, filter(None, read.cells))),
            original=label if label != column else "",
        )
        cells[column] = read.cells
    if not columns:
        notes.append(Note(raw.source, "left out: none of its columns can be used"))
        return None
    whole = zip(*cells.values(), strict=True)
    rows = [dict(zip(cells, row, strict=True)) for row in whole]
    return _Typing(raw, name, columns, rows)


def _table(
    typing: _Typing, typed: Mapping[str, _Typing], notes: list[Note], aside: list[Aside]
) -> Table:
    raw, name, columns, rows = typing
    key = _key(typing, typed)
    if key:
        rows = _told_apart(raw, key, rows, notes, aside)
    numbered = not key
    if numbered:
        notes.append(Note(raw.source, "no column tells rows apart: they are numbered"))
        key = (NUMBER,)
        columns = {NUMBER: Column(NUMBER, "int", key=True), **columns}
        rows = [{NUMBER: number, **row} for number, row in enumerate(rows, 1)]
    columns = {
        label: _settled(column, label in key, [row[label] for row in rows])
        for label, column in columns.items()
    }
    label = label_of(columns, key)
    if label and not _tells(columns[label], rows):
        label = ""
    return Table(name, columns, key, label, numbered, tuple(rows), raw.source)


def _tells(column: Column, rows: Sequence[Row]) -> bool:
    texts = [row[column.name] for row in rows]
    return column.spoken and None not in texts and len(set(texts)) == len(texts)


def _settled(column: Column, key: bool, cells: Sequence[Any]) -> Column:
    present = [cell for cell in cells if cell is not None]
    column = column._replace(optional=len(present) < len(cells) and not key, key=key)
    if column.type != "str" or key:
        return column
    listed = Counter(present)
    if (
        2 <= len(listed) <= MAX_VALUES
        and len(listed) * REPEATS <= len(present)
        and column.spoken
        and not _NAMES.intersection(words(column.name))
        and all(len(text) <= 32 for text in listed)
    ):
        return column._replace(values=tuple(sorted(listed)))
    return column


class _Typed(NamedTuple):
    type: str
    cells: Sequence[Any]
    notes: Sequence[str] = ()


def _typed(cells: Sequence[Any], textual: bool) -> _Typed | None:
    """The type of cells, and the cells as values of it; None where they are lists or objects."""
    if any(isinstance(cell, (list, dict)) for cell in cells):
        return None
    cells = [None if _is_nothing(cell) else cell for cell in cells]
    present = [cell for cell in cells if cell is not None]
    kinds = {type(cell) for cell in present}
    if kinds == {bool}:
        return _Typed("bool", cells)
    if kinds and kinds <= {int, float}:
        return _numbers(cells, present)
    if kinds == {str}:
        return _texts(cells, present)
    if not kinds:
        return _Typed("str", cells)
    told = [None if cell is None else canonical_cell(cell) for cell in cells]
    found = _texts(told, [cell for cell in told if cell is not None])
    return found._replace(notes=("it mixes types: each cell is read as text", *found.notes))


def _is_nothing(cell: Any) -> bool:
    return (isinstance(cell, str) and not cell.strip()) or (
        isinstance(cell, float) and not math.isfinite(cell)
    )


def _numbers(cells: Sequence[Any], present: Sequence[Any]) -> _Typed:
    if all(type(cell) is int for cell in present):
        return _Typed("int", cells)
    if all(type(cell) is float or abs(cell) <= EXACT for cell in present):
        return _Typed("float", [None if cell is None else float(cell) for cell in cells])
    return _Typed("str", [None if cell is None else str(cell) for cell in cells])


def _texts(cells: Sequence[Any], present: Sequence[str]) -> _Typed:
    said = [cell for cell in present if cell.strip().lower() not in _MISSING]
    missing = len(present) - len(said)
    if not said:
        return _Typed("str", [None] * len(cells))
    few = missing <= max(2, len(present) * 0.2)
    for kind, reads in _READS.items():
        if few and all(reads(cell.strip()) for cell in said):
            notes = [f"{missing} cells say that they are missing"] if missing else []
            make = _MAKES[kind]
            read = [
                None if cell is None or cell.strip().lower() in _MISSING else make(cell.strip())
                for cell in cells
            ]
            return _Typed(kind, read, notes)
    numbers = sum(1 for cell in said if _FLOAT.fullmatch(cell.strip()))
    mixed = len(said) > 1 and numbers > len(said) / 2 and not _coded(said)
    notes = [f"{numbers} of {len(said)} cells are numbers: it is read as text"] if mixed else []
    return _Typed("str", cells, notes)


def _coded(cells: Sequence[str]) -> bool:
    """Whether digits are codes, such as `007`: with zeros before them."""
    return any(len(cell) > 1 and cell[0] == "0" and cell.isdigit() for cell in cells)


def _is_int(text: str) -> bool:
    return _INT.fullmatch(text) is not None and -(2**63) <= int(text) < 2**63


def _is_float(text: str) -> bool:
    return (
        _FLOAT.fullmatch(text) is not None
        and math.isfinite(float(text))
        and (abs(float(text)) <= EXACT or "." not in text)
    )


def _is_written(format: str) -> Callable[[str], bool]:
    def reads(text: str) -> bool:
        if not text[:2].isdigit():
            return False
        try:
            return bool(plain(FORMATS[format](text)) == text)
        except Malformed:
            return False

    return reads


_READS: Mapping[str, Callable[[str], bool]] = {
    "bool": lambda text: text.lower() in ("true", "false"),
    "int": _is_int,
    "float": _is_float,
    **{kind: _is_written(format) for kind, format in _DATES.items()},
}
_MAKES: Mapping[str, Callable[[str], Any]] = {
    "bool": lambda text: text.lower() == "true",
    "int": int,
    "float": float,
    **{kind: str for kind in _DATES},
}


def _spoken(text: str) -> bool:
    """Whether a text can stand in a sentence as a name: it is short, printable, on one line, and
    has no marks that end or open a quotation or a message's structure."""
    return (
        len(text) <= LONGEST
        and text == text.strip()
        and text.isprintable()
        and any(map(str.isalnum, text))
        and not _UNSPOKEN.search(text)
    )


_UNSPOKEN = re.compile(r"[\"“”<>{}\[\]|`\\;]|://")


# ---------------------------------------------------------------- keys


def _key(typing: _Typing, typed: Mapping[str, _Typing]) -> tuple[str, ...]:
    """The columns that tell rows apart; () where none do."""
    raw, name, columns, rows = typing
    declared = tuple(each for each in columns if (columns[each].original or each) in raw.key)
    if (
        declared
        and len(declared) == len(raw.key)
        and all(columns[each].type in ("str", "int", "date") for each in declared)
    ):
        return declared
    fit = [
        label
        for label, column in columns.items()
        if column.type in ("str", "int") and _apart(column, rows) >= 1 - FAULTY
    ]
    one = "_".join(noun_of(name).one.split(" "))
    preferred = (f"{one}_id", "id", f"{one}_key", f"{one}_code", f"{one}_number", *_KEYS, one)
    named = [label for label in preferred if label in fit]
    named += [label for label in fit if words(label)[-1:] and words(label)[-1] in _KEYS]
    if named:
        return (max(named, key=lambda label: _references(typing, label, typed)),)
    first = next(iter(columns))
    if first in fit and columns[first].type == "str" and _apart(columns[first], rows) == 1:
        return (first,)
    pairs = (
        pair
        for pair in combinations(list(columns)[:6], 2)
        if all(columns[each].type in ("str", "int", "date") for each in pair)
        and not any(columns[each].optional or not columns[each].spoken for each in pair)
        and len({tuple(row[each] for each in pair) for row in rows}) == len(rows) > 1
        and all(len({row[each] for row in rows}) > 1 for each in pair)
        and not any(columns[each].measure for each in pair)
    )
    return next(pairs, ())


def _references(typing: _Typing, label: str, typed: Mapping[str, _Typing]) -> int:
    """How many columns of other tables hold nothing but what this one holds."""
    keys = {row[label] for row in typing.rows}
    return sum(
        1
        for other in typed.values()
        if other.name != typing.name
        for column in other.columns.values()
        if column.type == typing.columns[label].type == "str"
        and len(cells := {row[column.name] for row in other.rows} - {None}) >= 3
        and cells <= keys
    )


def _apart(column: Column, rows: Sequence[Row]) -> float:
    """The part of rows that the cells of a column tell apart."""
    cells = [row[column.name] for row in rows]
    good = {
        cell for cell in cells if cell is not None and (not isinstance(cell, str) or _spoken(cell))
    }
    return len(good) / len(cells)


def _told_apart(
    raw: Raw, key: tuple[str, ...], rows: Sequence[Row], notes: list[Note], aside: list[Aside]
) -> list[Row]:
    """The rows whose key is there and new; the others are set aside."""
    seen: set[tuple[Any, ...]] = set()
    kept: list[Row] = []
    for number, row in enumerate(rows, 1):
        cells = tuple(row[each] for each in key)
        reason = ""
        if None in cells:
            reason = "its key is missing"
        elif cells in seen:
            reason = "its key occurs before"
        elif not all(_spoken(cell) for cell in cells if isinstance(cell, str)):
            reason = "its key cannot stand in a sentence"
        if reason:
            aside.append(Aside(raw.source, number, reason, dict(row)))
        else:
            seen.add(cells)
            kept.append(row)
    if len(kept) < len(rows):
        notes.append(Note(raw.source, f"{len(rows) - len(kept)} rows are set aside for their keys"))
    return kept


# ---------------------------------------------------------------- references


def _referring(
    table: Table, tables: Mapping[str, Table], sources: Mapping[str, Raw], notes: list[Note]
) -> Table:
    columns = {
        name: _refers(table, column, tables, sources, notes)
        for name, column in table.columns.items()
    }
    return table._replace(columns=columns)


def _refers(
    table: Table,
    column: Column,
    tables: Mapping[str, Table],
    sources: Mapping[str, Raw],
    notes: list[Note],
) -> Column:
    """The column with the table that it refers to, if it does."""
    cells = {row[column.name] for row in table.rows} - {None}
    if column.type not in ("str", "int") or not cells:
        return column
    original = column.original or column.name
    declared, _ = sources[table.name].refers.get(original, ("", ""))
    found: list[tuple[int, str]] = []
    for other in tables.values():
        key = other.columns[other.single] if other.single else None
        if key is None or key.type != column.type or other.numbered:
            continue
        if other.name == table.name and key.name == column.name:
            continue
        said = sources[other.name].name.lower() == declared.lower()
        named = said or _suggests(column.name, other)
        keys = {row[key.name] for row in other.rows}
        held = len(cells & keys)
        if held == len(cells):
            strong = column.type == "str" and len(cells) >= 3 and other.name != table.name
            if named or (strong and table.single != column.name):
                found.append((2 * said + named, other.name))
        elif named and held >= len(cells) / 2:
            notes.append(
                Note(
                    f"{table.source} column `{original}`",
                    f"{len(cells) - held} of its {len(cells)} values are no key of "
                    f"`{other.name}`: it is no reference",
                )
            )
    if not found:
        return column
    best = max(found, key=lambda each: each[0])
    if sum(score == best[0] for score, _ in found) > 1:
        return column
    return column._replace(refers=best[1], values=(), key=column.name in table.key)


def _suggests(label: str, table: Table) -> bool:
    """Whether a label, such as `user_id` or `from_user`, names a table, as `users`."""
    if label == table.single and words(label)[-1] not in ("id", "key", "name", "code", "number"):
        return True
    if label == table.single and len(words(label)) > 1:
        return True
    found = words(label)
    while len(found) > 1 and found[-1] in ("id", "ids", "key", "code", "no", "name", "number"):
        found = found[:-1]
    named = words(table.noun.one) or words(one_of(table.name))
    return bool(found) and (*found[:-1], singular(found[-1]))[-len(named) :] == named


# ---------------------------------------------------------------- environments

MAX_TABLES = 6
MAX_KEPT = 400
"""Rows of a table in an environment."""


def environments(tables: Sequence[Table]) -> list[tuple[Table, ...]]:
    """Groups of tables for one environment each: a table with what it refers to, directly or not;
    tables that another group holds begin none of their own."""
    by_name = {table.name: table for table in tables}
    reached = {table.name: _reached(table, by_name) for table in tables}
    order = sorted(tables, key=lambda table: (-len(reached[table.name]), table.name))
    covered: set[str] = set()
    groups = []
    for table in order:
        if table.name not in covered:
            group = reached[table.name]
            covered.update(group)
            groups.append(tuple(by_name[name] for name in group))
    return [_trimmed(group) for group in groups]


def _reached(table: Table, tables: Mapping[str, Table]) -> list[str]:
    found = [table.name]
    for name in found:
        for column in tables[name].references():
            if column.refers not in found and len(found) < MAX_TABLES:
                found.append(column.refers)
    return found


def _trimmed(group: Sequence[Table]) -> tuple[Table, ...]:
    """The tables with at most `MAX_KEPT` rows: of the first table the first ones, of the others
    those that are referred to, then the first ones. References out of the group are none."""
    names = {table.name for table in group}
    wanted: dict[str, set[Any]] = {table.name: set() for table in group}
    kept: dict[str, Table] = {}
    for table in group:
        columns = {
            name: column if column.refers in names else column._replace(refers="")
            for name, column in table.columns.items()
        }
        rows = table.rows
        if len(rows) > MAX_KEPT:
            first = [
                row for row in rows if table.single and row[table.single] in wanted[table.name]
            ]
            taken = {id(row) for row in first}
            rest = [row for row in rows if id(row) not in taken]
            chosen = {id(row) for row in (*first, *rest)[:MAX_KEPT]}
            rows = tuple(row for row in rows if id(row) in chosen)
        kept[table.name] = table._replace(columns=columns, rows=rows)
        for column in kept[table.name].references():
            wanted[column.refers].update(row[column.name] for row in rows)
    keys = {
        table.name: {row[table.single] for row in table.rows}
        for table in kept.values()
        if table.single
    }
    return tuple(_sound(table, keys) for table in kept.values())


def _sound(table: Table, keys: Mapping[str, set[Any]]) -> Table:
    """The table without references that lead nowhere, and with what its remaining rows are."""
    columns = {}
    for name, column in table.columns.items():
        cells = [row[name] for row in table.rows]
        if column.refers and not set(cells) - {None} <= keys.get(column.refers, set()):
            column = column._replace(refers="")
        if column.values:
            column = column._replace(values=tuple(sorted(set(cells) - {None})))
        if len(column.values) == 1:
            column = column._replace(values=())
        columns[name] = column._replace(optional=None in cells)
    label = table.label if table.label in columns else ""
    return table._replace(columns=columns, label=label)


def enum_name(table: Table, column: Column) -> str:
    """A name for the type of a column of a few texts."""
    return pascal(f"{one_of(table.name)} {column.name}")
