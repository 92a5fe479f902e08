"""Raw tables from a folder of CSV, JSON, JSON Lines and SQLite files that others wrote.

Reading never gives up a folder for one file, nor a file for one row: what cannot be read is set
aside with its reason. Files, rows, columns and cells have bounds, and what lies beyond is noted.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote

from toolc.files import DataError, inside, why

MAX_FILES = 500
MAX_TABLES = 200
"""Tables that are taken from one file."""
MAX_BYTES = 64 * 1024 * 1024
"""Bytes that are read of a file; of a larger CSV or JSON Lines file the first ones."""
MAX_ROWS = 20_000
"""Rows that are read of a table, the first ones."""
MAX_COLUMNS = 200
MAX_CELL = 10_000
"""Characters of a cell; a row with a longer one is set aside."""
MAX_DEPTH = 8
"""Folders within folders that are looked into."""
MAX_STEPS = 200_000_000
"""Instructions of SQLite's machine that one table may take."""

Row = dict[str, Any]


class Note(NamedTuple):
    """Something about an input that a person should know: which, and what became of it."""

    subject: str
    reason: str


class Aside(NamedTuple):
    """A row that is not used: where it stands (rows count from 1), why, and what it holds."""

    source: str
    row: int
    reason: str
    content: Any


class Raw(NamedTuple):
    """A table as read: `folder` and `name` say where it is from, `key` and `refers` what the
    source itself declares. Cells are JSON values."""

    folder: str
    source: str
    name: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    key: tuple[str, ...] = ()
    refers: Mapping[str, tuple[str, str]] = {}
    textual: bool = False
    """Whether every cell is text, as in CSV, so that types must be read off it."""


class Read(NamedTuple):
    tables: tuple[Raw, ...]
    notes: tuple[Note, ...]
    aside: tuple[Aside, ...]


def read_folder(folder: str) -> Read:
    """Every table below a folder, in order of path. Raises OSError where it cannot be listed."""
    book = _Book()
    root = os.path.realpath(folder)
    paths = list(_paths(folder, root, book))
    for path in paths[:MAX_FILES]:
        shown = _shown(os.path.relpath(path, folder))
        try:
            _READERS[os.path.splitext(path)[1].lower()](path, shown, book)
        except (OSError, DataError, _Unreadable) as error:
            book.note(shown, f"left out: {_reason(error)}")
    for path in paths[MAX_FILES:]:
        book.note(_shown(os.path.relpath(path, folder)), f"left out: more than {MAX_FILES} files")
    return Read(tuple(book.tables), tuple(book.notes), tuple(book.aside))


class _Unreadable(Exception):
    pass


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return why(error)
    if isinstance(error, DataError):
        return str(error.values.get("reason", "it cannot be read"))
    return str(error)


class _Book:
    """What reading has found so far."""

    def __init__(self) -> None:
        self.tables: list[Raw] = []
        self.notes: list[Note] = []
        self.aside: list[Aside] = []

    def note(self, subject: str, reason: str) -> None:
        self.notes.append(Note(subject, reason))

    def table(
        self,
        source: str,
        name: str,
        columns: Sequence[str],
        rows: Iterable[Row],
        more: bool = False,
        **facts: Any,
    ) -> None:
        """Takes in a table; `more` says that the source holds rows beyond those given."""
        kept: list[Row] = []
        for number, row in enumerate(rows, 1):
            if any(isinstance(cell, str) and len(cell) > MAX_CELL for cell in row.values()):
                reason = f"a cell has more than {MAX_CELL:,} characters"
                self.aside.append(Aside(source, number, reason, None))
            else:
                kept.append(row)
        if more:
            self.note(source, f"rows after the first {MAX_ROWS:,} are not used")
        if len(columns) > MAX_COLUMNS:
            self.note(source, f"columns after the first {MAX_COLUMNS} are not used")
        if not kept:
            self.note(source, "it holds no rows")
            return
        folder = os.path.dirname(source)
        self.tables.append(
            Raw(folder, source, name, tuple(columns[:MAX_COLUMNS]), tuple(kept), **facts)
        )


def _paths(folder: str, root: str, book: _Book) -> Iterator[str]:
    def refuse(error: OSError) -> None:
        if error.filename == folder:
            raise error
        book.note(_shown(os.path.relpath(str(error.filename), folder)), f"left out: {why(error)}")

    for place, folders, files in os.walk(folder, onerror=refuse):
        deep = os.path.relpath(place, folder).count(os.sep) + 1 >= MAX_DEPTH
        folders[:] = [] if deep else sorted(each for each in folders if not each.startswith("."))
        for name in sorted(files):
            path = os.path.join(place, name)
            if name.startswith(".") or os.path.splitext(name)[1].lower() not in _READERS:
                continue
            if not inside(path, root):
                book.note(_shown(os.path.relpath(path, folder)), "left out: a link to elsewhere")
            elif not os.path.isfile(path):
                book.note(_shown(os.path.relpath(path, folder)), "left out: it is not a plain file")
            else:
                yield path


def _shown(path: str) -> str:
    """A path as it can be told and stored: its bytes that are no UTF-8 escaped."""
    text = path.encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _stem(source: str) -> str:
    return os.path.splitext(os.path.basename(source))[0]


def _text(path: str, source: str, book: _Book, *, whole: bool) -> tuple[str, bool]:
    """The text of a file, and whether it goes on beyond what was read."""
    with open(path, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    more = len(content) > MAX_BYTES
    if more and whole:
        raise _Unreadable(f"it is larger than {MAX_BYTES // 2**20} MiB")
    if more:
        content = content[: content.rfind(b"\n", 0, MAX_BYTES) + 1]
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return content[len(mark) :].decode(encoding, "replace"), more
    try:
        return content.decode(), more
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        book.note(source, f"line {line} is not UTF-8: the file is read as Latin-1")
        return content.decode("latin-1"), more


_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def header(labels: Sequence[str], source: str, book: _Book | None = None) -> list[str]:
    """Names for columns, each once: those without a name get one."""
    names: list[str] = []
    taken: set[str] = set()
    for index, label in enumerate(labels, 1):
        name = label.strip() or f"column {index}"
        number = 2
        while name in taken:
            name, number = f"{label.strip() or 'column'} {number}", number + 1
        if book is not None and name != label.strip():
            book.note(source, f"column {index} has no name of its own: it is called `{name}`")
        taken.add(name)
        names.append(name)
    return names


# ---------------------------------------------------------------- CSV


def _read_csv(path: str, source: str, book: _Book) -> None:
    text, more = _text(path, source, book, whole=False)
    if "\0" in text:
        book.note(source, "it holds NUL characters, which are left out")
        text = text.replace("\0", "")
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = "\t" if path.lower().endswith(".tsv") else max(",;\t|", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[Row] = []
    names: list[str] = []
    number = 0
    try:
        for cells in reader:
            if not cells:
                continue
            if not names:
                names = header(cells, source, book)
                continue
            number += 1
            if number > MAX_ROWS:
                more = True
                break
            if len(cells) == len(names):
                rows.append(dict(zip(names, cells, strict=True)))
            else:
                reason = f"it has {len(cells)} cells, the header {len(names)}"
                book.aside.append(Aside(source, number, reason, cells[:MAX_COLUMNS]))
    except csv.Error as error:
        book.note(source, f"rows from line {reader.line_num} on are left out: {error}")
    book.table(source, _stem(source), names, rows, more, textual=True)


# ---------------------------------------------------------------- JSON


def _read_json(path: str, source: str, book: _Book) -> None:
    from toolc.data import parse_json

    text, _ = _text(path, source, book, whole=True)
    value = parse_json(text)
    if isinstance(value, dict) and value and all(map(_is_rows, value.values())):
        for name, inner in islice(value.items(), MAX_TABLES):
            _objects(f"{source}#{_shown(name)}", name, inner, book)
        if len(value) > MAX_TABLES:
            book.note(source, f"tables after the first {MAX_TABLES} are left out")
    elif isinstance(value, (list, dict)):
        _objects(source, _stem(source), value, book)
    else:
        raise _Unreadable("it holds no list of rows")


def _is_rows(value: Any) -> bool:
    if isinstance(value, list):
        return any(isinstance(row, dict) for row in value)
    return (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(row, dict) for row in value.values())
        and len({tuple(row) for row in value.values()}) == 1 < len(value)
    )


def _read_jsonl(path: str, source: str, book: _Book) -> None:
    from toolc.data import parse_json

    text, more = _text(path, source, book, whole=False)
    rows: list[Any] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        if len(rows) >= MAX_ROWS:
            more = True
            break
        try:
            rows.append(parse_json(line))
        except DataError as error:
            book.aside.append(Aside(source, number, _reason(error), line[:MAX_CELL]))
    _objects(source, _stem(source), rows, book, more)


def _objects(source: str, name: str, value: Any, book: _Book, more: bool = False) -> None:
    """Takes in a list of objects, or an object of them: their keys become a column."""
    rows: list[Row] = []
    keyed = isinstance(value, dict)
    entries: Iterable[tuple[Any, Any]] = (
        value.items() if isinstance(value, dict) else enumerate(value, 1)
    )
    for number, (key, row) in enumerate(entries, 1):
        if len(rows) >= MAX_ROWS:
            more = True
            break
        if not isinstance(row, dict):
            book.aside.append(Aside(source, number, "it is no object", row))
            continue
        if keyed and not any(cell == key for cell in row.values()):
            row = {"id" if "id" not in row else "key": key, **row}
        rows.append(row)
    for _ in range(2):
        rows = _flat(rows)
    labels = dict.fromkeys(label for row in rows for label in row)
    names = dict(zip(labels, header(list(labels), source), strict=True))
    book.table(
        source,
        name,
        list(names.values()),
        [{names[label]: cell for label, cell in row.items()} for row in rows],
        more,
    )


MAX_WITHIN = 12
"""Labels of objects that stand in a column, for which their cells become columns."""


def _flat(rows: Sequence[Row]) -> list[Row]:
    """Rows in which the cells of objects that are alike stand beside, under both labels."""
    within: dict[str, dict[str, None]] = {}
    other: set[str] = set()
    for row in rows:
        for label, cell in row.items():
            if isinstance(cell, dict):
                within.setdefault(label, {}).update(dict.fromkeys(cell))
            elif cell is not None:
                other.add(label)
    alike = {
        label
        for label, inner in within.items()
        if label not in other
        and 1 <= len(inner) <= MAX_WITHIN
        and sum(len(row[label]) for row in rows if row.get(label)) * 4
        >= len(inner) * sum(1 for row in rows if row.get(label))
    }
    if not alike:
        return list(rows)
    made: list[Row] = []
    for row in rows:
        flat: Row = {}
        for label, cell in row.items():
            if label in alike:
                flat |= {f"{label} {inner}": each for inner, each in (cell or {}).items()}
            else:
                flat[label] = cell
        made.append(flat)
    return made


# ---------------------------------------------------------------- SQLite


def _read_sqlite(path: str, source: str, book: _Book) -> None:
    """Reads the tables of a database file, opened so that it can't be written; views, virtual
    tables and triggers stay out."""
    place = f"file:{quote(os.fsencode(os.path.abspath(path)))}?mode=ro&immutable=1"
    try:
        connection = sqlite3.connect(place, uri=True)
    except sqlite3.Error as error:
        raise _Unreadable(str(error)) from None
    try:
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 100 * MAX_CELL)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        listed = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' ORDER BY name"
        ).fetchmany(MAX_TABLES + 1)
        for name, sql in listed[:MAX_TABLES]:
            virtual = str(sql).lstrip().upper().startswith("CREATE VIRTUAL")
            if str(name).startswith("sqlite_") or virtual:
                continue
            try:
                _sqlite_table(connection, f"{source}#{_shown(name)}", name, book)
            except sqlite3.Error as error:
                book.note(f"{source}#{_shown(name)}", f"left out: {error}")
        if len(listed) > MAX_TABLES:
            book.note(source, f"tables after the first {MAX_TABLES} are left out")
    except sqlite3.Error as error:
        raise _Unreadable(str(error)) from None
    finally:
        connection.close()


def _sqlite_table(connection: sqlite3.Connection, source: str, name: str, book: _Book) -> None:
    rounds = iter(range(MAX_STEPS // 10_000))
    connection.set_progress_handler(lambda: int(next(rounds, None) is None), 10_000)
    quoted = '"' + name.replace('"', '""') + '"'
    facts = connection.execute(f"PRAGMA table_info({quoted})").fetchall()
    labels = [str(fact[1]) for fact in facts]
    names = header(labels, source, book)
    named = dict(zip(labels, names, strict=True))
    keys = sorted((fact[5], named[str(fact[1])]) for fact in facts if fact[5])
    refers = {
        named[fact[3]]: (str(fact[2]), str(fact[4] or ""))
        for fact in connection.execute(f"PRAGMA foreign_key_list({quoted})")
        if fact[3] in named
    }
    found = connection.execute(f"SELECT * FROM {quoted}").fetchmany(MAX_ROWS + 1)
    rows: list[Row] = []
    for number, cells in enumerate(found[:MAX_ROWS], 1):
        if any(isinstance(cell, bytes) for cell in cells):
            shown = [cell.hex() if isinstance(cell, bytes) else cell for cell in cells]
            book.aside.append(Aside(source, number, "it holds bytes", shown))
        else:
            rows.append(dict(zip(names, cells, strict=True)))
    more = len(found) > MAX_ROWS
    book.table(source, name, names, rows, more, key=tuple(key for _, key in keys), refers=refers)


_READERS: dict[str, Callable[[str, str, _Book], None]] = {
    ".csv": _read_csv,
    ".tsv": _read_csv,
    ".json": _read_json,
    ".jsonl": _read_jsonl,
    ".ndjson": _read_jsonl,
    ".sqlite": _read_sqlite,
    ".sqlite3": _read_sqlite,
    ".db": _read_sqlite,
}


def canonical_cell(cell: Any) -> str:
    """The text of a cell of mixed types."""
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)
