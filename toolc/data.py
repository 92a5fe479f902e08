"""Rows of a table's data file, and where in the file each cell stands.

Reading keeps only the values. Positions are found by a second scan, and only when somebody asks
for one: when a cell turns out to be wrong.
"""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, Literal, NamedTuple

from toolc.files import DataError, decode
from toolc.node import Span

Format = Literal["csv", "json", "jsonl"]

FORMATS: dict[str, Format] = {".csv": "csv", ".json": "json", ".jsonl": "jsonl"}
"""How a file is read, by the ending of its name."""

MAX_DEPTH = 64
"""Deepest nesting of lists and objects in a JSON file."""


class Rows(NamedTuple):
    """The rows of one file, in its order.

    `rows` are objects: in CSV every value is text. `keys` are the keys of a JSON object of rows,
    one for each row, else None. `text` is what `span` counts in.
    """

    path: str
    text: str
    format: Format
    rows: tuple[dict[str, Any], ...]
    keys: tuple[str, ...] | None = None

    def span(self, row: int, *within: str | int) -> Span:
        """Where a row stands, or a value within it (labels and list indexes): the innermost part
        of that path that is there."""
        if self.format == "csv":
            return _csv_span(self.text, row, str(within[0]) if within else None)
        if self.format == "jsonl":
            start, line = next(islice(_lines(self.text), row, None))
            found = _innermost(line, within)
            return Span(start + found.start, start + found.end)
        outer = row if self.keys is None else self.keys[row]
        return _innermost(self.text, (outer, *within))

    def key_span(self, row: int) -> Span:
        """Where the key of a row stands, in a JSON object of rows; else the row."""
        if self.keys is None:
            return self.span(row)
        values = (value for value in _walk_json(self.text) if value.path == (self.keys[row],))
        return next(value.label for value in values if value.label)


def read_rows(path: str, text_bytes: bytes, format: Format) -> Rows:
    """Reads the bytes of a data file. Raises `DataError` with the place of what is wrong."""
    text = decode(path, text_bytes)
    return _READERS[format](path, text)


# ---------------------------------------------------------------- CSV


def _read_csv(path: str, text: str) -> Rows:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    rows: list[dict[str, Any]] = []
    try:
        for cells in reader:
            if not cells:
                continue
            if header is None:
                header = _header(cells, text)
            elif len(cells) == len(header):
                rows.append(dict(zip(header, cells, strict=True)))
            else:
                reason = f"the row has {_count(len(cells), 'cell')}, the header {len(header)}"
                raise DataError("TC0404", _csv_span(text, len(rows), None), text, reason=reason)
    except csv.Error as error:
        span = _line_span(text, reader.line_num - 1)
        raise DataError("TC0404", span, text, reason=str(error)) from None
    if header is None:
        raise DataError("TC0404", Span(0, 0), text, reason="the header is missing")
    return Rows(path, text, "csv", tuple(rows))


def _header(cells: list[str], text: str) -> list[str]:
    for index, name in enumerate(cells):
        reason = "a column has no name" if not name else f"column `{name}` occurs twice"
        if not name or name in cells[:index]:
            spans = next(_csv_records(text))
            raise DataError("TC0404", spans[index], text, reason=reason)
    return cells


_CELL = re.compile(r'"(?:[^"]|"")*"?|[^,\r\n]*')


def _csv_records(text: str) -> Iterator[list[Span]]:
    """The spans of the cells of each record, blank lines left out; the header is the first."""
    position, size = 0, len(text)
    cells: list[Span] = []
    while position <= size:
        match = _CELL.match(text, position)
        end = match.end() if match else position
        cells.append(Span(position, end))
        if end < size and text[end] == ",":
            position = end + 1
            continue
        position = end + (2 if text.startswith("\r\n", end) else 1)
        if end < size and text[end] not in "\r\n":
            position = end  # text after a closing quote: strict reading has refused it
        if len(cells) > 1 or cells[0].start != cells[0].end:
            yield cells
        cells = []


def _csv_span(text: str, row: int, column: str | None) -> Span:
    header: list[Span] = []
    for index, cells in enumerate(_csv_records(text)):
        if index == 0:
            header = cells
        elif index == row + 1:
            names = [_unquoted(text[span.start : span.end]) for span in header]
            if column in names and names.index(column) < len(cells):
                return cells[names.index(column)]
            return cells[0].to(cells[-1])
    return Span(0, 0)


def _unquoted(cell: str) -> str:
    return cell[1:-1].replace('""', '"') if cell.startswith('"') else cell


# ---------------------------------------------------------------- JSON


class _Refused(Exception):
    """A value that JSON's grammar, but not this reader, allows; found again by a scan."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refused
    return value


def _bounded_int(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= (value := int(digits)) < 2**63:
        raise _Refused
    return value


def _finite_float(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise _Refused
    return value


def _refuse_constant(name: str) -> float:
    raise _Refused(name)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_bounded_int,
    parse_float=_finite_float,
    parse_constant=_refuse_constant,
)

_BEYOND = "a number beyond 64 bits"

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def parse_json(text: str) -> Any:
    """One JSON value, strictly. Raises `DataError` with a span in this text."""
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        span = Span(error.pos, min(error.pos + 1, len(text)))
        reason = error.msg[:1].lower() + error.msg[1:].removesuffix(" at")
        raise DataError("TC0405", span, text, reason=reason) from None
    except (_Refused, RecursionError):
        raise _why_refused(text) from None
    if _too_deep(value):
        raise _why_refused(text)
    if _SURROGATE.search(text) and (lone := _lone_surrogate(text)) is not None:
        raise DataError("TC0405", lone, text, reason="a surrogate stands alone")
    return value


def _too_deep(value: Any) -> bool:
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True


def _read_json(path: str, text: str) -> Rows:
    value = parse_json(text)
    if isinstance(value, dict):
        rows, keys = tuple(value.values()), tuple(value)
    elif isinstance(value, list):
        rows, keys = tuple(value), None
    else:
        raise _shape(text, _innermost(text, ()), "a list of objects, or an object of rows", value)
    read = Rows(path, text, "json", rows, keys)
    for index, row in enumerate(rows):
        if not isinstance(row, dict):
            raise _shape(text, read.span(index), "an object", row)
    return read


def _read_jsonl(path: str, text: str) -> Rows:
    rows: list[dict[str, Any]] = []
    for start, line in _lines(text):
        try:
            row = parse_json(line)
        except DataError as error:
            span = Span(start + error.span.start, start + error.span.end)
            raise DataError(error.code, span, text, **error.values) from None
        if not isinstance(row, dict):
            raise _shape(text, Span(start, start + len(line)), "an object", row)
        rows.append(row)
    return Rows(path, text, "jsonl", tuple(rows))


_READERS = {"csv": _read_csv, "json": _read_json, "jsonl": _read_jsonl}


def _shape(text: str, span: Span, expected: str, value: object) -> DataError:
    return DataError("TC0406", span, text, expected=expected, found=KINDS[type(value)])


KINDS = {
    dict: "an object",
    list: "a list",
    str: "text",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    type(None): "null",
}
"""What a JSON value is called in a message."""

Path = tuple[str | int, ...]


class _Value(NamedTuple):
    """A value of a JSON text: its path, where it stands, and its label in an object."""

    path: Path
    span: Span
    label: Span | None


_TOKEN = re.compile(
    r'[ \t\r\n]*(?:(?P<text>"(?:[^"\\]|\\.)*")|(?P<mark>[{}\[\]:,])|(?P<scalar>[^\s{}\[\]:,"]+))',
    re.DOTALL,
)


def _walk_json(text: str) -> Iterator[_Value]:
    """Every value of a JSON text; a list or an object after what it holds. Needs no recursion;
    ends where the text is no JSON."""
    path: list[str | int] = []
    opened: list[tuple[int, bool, Span | None]] = []  # where, whether an object, its label
    label: Span | None = None
    at_label = False
    position = 0
    while match := _TOKEN.match(text, position):
        position = match.end()
        kind = str(match.lastgroup)
        span = Span(match.start(kind), position)
        mark = match["mark"]
        if mark is None and at_label:
            if kind != "text":
                return
            path[-1] = json.loads(match[kind])
            label, at_label = span, False
        elif mark is None:
            yield _Value(tuple(path), span, label)
        elif mark in "{[":
            at_label = mark == "{"
            opened.append((span.start, at_label, label))
            path.append("" if at_label else 0)
            label = None
        elif not opened:
            return
        elif mark in "}]":
            start, _, label = opened.pop()
            path.pop()
            at_label = False
            yield _Value(tuple(path), Span(start, span.end), label)
        elif mark == ",":
            at_label = opened[-1][1]
            if not at_label:
                path[-1] = int(path[-1]) + 1


def _innermost(text: str, path: Path) -> Span:
    """Where the value at a path stands, else the longest part of the path that is there."""
    best, length = Span(0, len(text)), -1
    for value in _walk_json(text):
        size = len(value.path)
        if length < size <= len(path) and value.path == path[:size]:
            best, length = value.span, size
        if length == len(path):
            break
    return best


def _why_refused(text: str) -> DataError:
    seen: set[Path] = set()
    for value in _walk_json(text):
        reason = _objection(text, value, value.path in seen)
        if reason:
            span = value.label if value.label and value.path in seen else value.span
            return DataError("TC0405", span, text, reason=reason)
        seen.add(value.path)
    return DataError("TC0405", Span(0, 0), text, reason=f"nested deeper than {MAX_DEPTH}")


def _objection(text: str, value: _Value, repeated: bool) -> str:
    if repeated:
        return f"key `{value.path[-1]}` occurs twice"
    if len(value.path) > MAX_DEPTH:
        return f"nested deeper than {MAX_DEPTH}"
    start = text[value.span.start]
    if start in '"{[tfn':
        return ""
    written = text[value.span.start : value.span.end]
    if "N" in written or "I" in written:
        return f"`{written}` is not a JSON number"
    if "." in written or "e" in written or "E" in written:
        return "" if math.isfinite(float(written)) else _BEYOND
    return "" if len(written) <= 20 and -(2**63) <= int(written) < 2**63 else _BEYOND


def _lone_surrogate(text: str) -> Span | None:
    for value in _walk_json(text):
        for span in (value.label, value.span):
            if span is None or text[span.start] != '"':
                continue
            try:
                json.loads(text[span.start : span.end]).encode()
            except UnicodeEncodeError:
                return span
    return None


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """The lines that are not blank, each with its offset."""
    start = 0
    while start < len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        line = text[start:end]
        if line.strip():
            yield start, line
        start = end + 1


def _line_span(text: str, line: int) -> Span:
    """The line of that number, counted from 0, line breaks as in CSV."""
    start = 0
    for number, found in enumerate(re.finditer(r"\r\n|\r|\n|\Z", text)):
        if number == line:
            return Span(start, found.start())
        start = found.end()
    return Span(len(text), len(text))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
