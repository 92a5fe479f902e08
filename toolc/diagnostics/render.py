"""Diagnostics as text: for people, for grep, and one JSON object a line for programs.

Lines and columns count from 1, columns in characters. Whatever the source holds, the output has no
control characters and no lone surrogates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, NamedTuple
from unicodedata import combining, east_asian_width

from toolc.diagnostics.diagnostic import Applicability, Diagnostic, Edit, Fix
from toolc.node import Span

Format = Literal["human", "plain", "json"]
VERSION = 1
MAX_LINE = 110
TAB = "    "
UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[1;33m", "frame": "\x1b[34m", "bold": "\x1b[1m"}
RESET = "\x1b[0m"


class Place(NamedTuple):
    """A span in lines and columns; `source` is its first line, `offset` where that line starts."""

    line: int
    column: int
    end_line: int
    end_column: int
    source: str
    offset: int


def render(
    diagnostics: Iterable[Diagnostic],
    sources: Mapping[str, str],
    format: Format | str = "human",
    colour: bool = False,
) -> str:
    """The report on some findings; `sources` holds the texts of their files, by path.

    A finding in a file without a text is reported without its line.
    """
    renderer = RENDERERS[format]
    paint = _paint if colour else _plainly
    return "".join(renderer(found, sources.get(found.path, ""), paint) for found in diagnostics)


def apply_fixes(
    text: str, diagnostics: Iterable[Diagnostic], applicability: Applicability = "safe"
) -> str:
    """The text with every fix made; "unsafe" makes the safe ones too.

    A fix that touches what an earlier one edits is left out.
    """
    taken: list[Edit] = []
    for found in diagnostics:
        fix = found.fix
        if fix is None or (fix.applicability == "unsafe" and applicability == "safe"):
            continue
        fresh = [edit for edit in fix.edits if edit not in taken]
        if not any(_touches(edit.span, other.span) for edit in fresh for other in taken):
            taken += fresh
    for span, replacement in sorted(taken, reverse=True):
        text = text[: span.start] + replacement + text[span.end :]
    return text


def place(text: str, span: Span) -> Place:
    """Where a span is; one beyond the text is at its end."""
    start = min(span.start, len(text))
    end = max(start, min(span.end, len(text)))
    offset = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", offset)
    source = text[offset : len(text) if line_end < 0 else line_end].rstrip("\r")
    line = text.count("\n", 0, start) + 1
    end_line = line + text.count("\n", start, end)
    end_column = end - (text.rfind("\n", 0, end) + 1) + 1
    return Place(line, start - offset + 1, end_line, end_column, source, offset)


def _human(found: Diagnostic, text: str, paint: Callable[[str, str], str]) -> str:
    at = place(text, found.span)
    title = paint(f"{found.severity}[{found.code}]", found.severity)
    spans = [found.span, *(note.span for note in found.notes)]
    lines = [f"{title}{paint(': ' + _clean(found.message), 'bold')}"]
    margin = len(str(max(place(text, span).line for span in spans)))
    lines += _snippet(found.path, text, found.span, margin, "^", paint, found.severity)
    for note in found.notes:
        lines.append(f"{paint('note', 'bold')}: {_clean(note.message)}")
        lines += _snippet(found.path, text, note.span, margin, "-", paint, "frame")
    lines += [f"{' ' * margin} {paint('=', 'frame')} help: {_clean(help)}" for help in found.help]
    if found.fix is not None:
        lines.append(f"{' ' * margin} {paint('=', 'frame')} fix: {_clean(found.fix.title)}")
        mended = _mended_line(text, at, found.fix)
        if mended is not None:
            lines.append(f"{paint(f'{at.line:>{margin}} +', 'frame')} {mended}")
    return "\n".join(lines) + "\n\n"


def _plain(found: Diagnostic, text: str, paint: Callable[[str, str], str]) -> str:
    at = place(text, found.span)
    path = _clean(found.path)
    return (
        f"{path}:{at.line}:{at.column}: {found.severity}[{found.code}]: {_clean(found.message)}\n"
    )


def _json(found: Diagnostic, text: str, paint: Callable[[str, str], str]) -> str:
    at = place(text, found.span)
    notes = [{"message": note.message, **_position(place(text, note.span))} for note in found.notes]
    fix = found.fix and {
        "title": found.fix.title,
        "applicability": found.fix.applicability,
        "edits": [
            {**_position(place(text, edit.span)), "text": edit.text} for edit in found.fix.edits
        ],
    }
    data: dict[str, Any] = {
        "version": VERSION,
        "code": found.code,
        "severity": found.severity,
        "message": found.message,
        "path": found.path,
        **_position(at),
        "source_line": _window(at)[0],
        "help": list(found.help),
        "notes": notes,
        "fix": fix,
    }
    line = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return line.encode("utf-8", "replace").decode() + "\n"


RENDERERS: Mapping[str, Callable[[Diagnostic, str, Callable[[str, str], str]], str]] = {
    "human": _human,
    "plain": _plain,
    "json": _json,
}


def _position(at: Place) -> dict[str, int]:
    return {
        "line": at.line,
        "column": at.column,
        "end_line": at.end_line,
        "end_column": at.end_column,
    }


def _snippet(
    path: str,
    text: str,
    span: Span,
    margin: int,
    mark: str,
    paint: Callable[[str, str], str],
    colour: str,
) -> list[str]:
    """Where it is, the line, and marks under the span as far as it goes on that line."""
    at = place(text, span)
    arrow = paint("-->", "frame")
    where = f"{' ' * margin}{arrow} {_clean(path)}:{at.line}:{at.column}"
    if not text:
        return [where]
    window, column = _window(at)
    before = window[:column]
    length = (at.end_column if at.end_line == at.line else len(at.source) + 1) - at.column
    marked = window[column : column + length]
    bar = paint("|", "frame")
    number = paint(f"{at.line:>{margin}} |", "frame")
    underline = paint(mark * max(1, _width(marked)), colour)
    return [
        where,
        f"{' ' * margin} {bar}",
        f"{number} {_clean(window, tab=TAB)}".rstrip(),
        f"{' ' * margin} {bar} {' ' * _width(before)}{underline}",
    ]


def _window(at: Place) -> tuple[str, int]:
    """The part of the line around the place that fits, and the place's index in it."""
    index = at.column - 1
    if len(at.source) <= MAX_LINE:
        return at.source, index
    start = max(0, min(index - MAX_LINE // 3, len(at.source) - MAX_LINE))
    end = min(len(at.source), start + MAX_LINE)
    head, tail = "…" * (start > 0), "…" * (end < len(at.source))
    return head + at.source[start:end] + tail, index - start + len(head)


def _mended_line(text: str, at: Place, fix: Fix) -> str | None:
    """The line as it reads after the fix; None where the fix is about other lines or is long."""
    end = at.offset + len(at.source)
    if len(at.source) > MAX_LINE or any(
        edit.span.start < at.offset or edit.span.end > end for edit in fix.edits
    ):
        return None
    line = at.source
    for span, replacement in sorted(fix.edits, reverse=True):
        line = line[: span.start - at.offset] + replacement + line[span.end - at.offset :]
    return None if "\n" in line else _clean(line, tab=TAB)


def _touches(left: Span, right: Span) -> bool:
    return left.start <= right.end and right.start <= left.end


def _clean(text: str, tab: str = " ") -> str:
    return UNPRINTABLE.sub("\ufffd", text.replace("\t", tab))


def _width(text: str) -> int:
    """Columns of a terminal."""
    return sum(
        len(TAB) if char == "\t" else 0 if combining(char) else 1 + (east_asian_width(char) in "WF")
        for char in text
    )


def _paint(text: str, colour: str) -> str:
    return f"{COLOURS[colour]}{text}{RESET}"


def _plainly(text: str, colour: str) -> str:
    return text
