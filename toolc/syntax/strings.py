"""String literals: from source to value and back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from toolc.diagnostics.diagnostic import Applicability

ESCAPES = {"n": "\n", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.)|$)")
PIECE = re.compile(r"\{\{|\}\}|\{|\}|[^{}]+")
QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'")
SKIP = re.compile(r"'(?:[^'\\]|\\.)*'|[^'()\[\]{}:]+|.", re.DOTALL)
QUOTE = re.compile(r'["\\\x00-\x1f\x7f]')
SHORT = {"\n": "\\n", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


class Malformed(Exception):
    """A slip inside a literal, at an offset from its opening quote."""

    mended = ""
    """The text that may be meant in its place."""
    applicability: Applicability = "unsafe"

    def __init__(self, code: str, start: int, end: int, **values: str) -> None:
        super().__init__(code)
        self.code, self.start, self.end, self.details = code, start, end, values


class HoleText(NamedTuple):
    """Offsets of an interpolated expression from the opening quote, and its format."""

    start: int
    end: int
    format: str


def unescape(raw: str, offset: int = 1) -> str:
    """The text that escapes stand for; raises Malformed on an unknown one or a lone surrogate."""
    if "\\" not in raw:
        return raw

    def replacement(found: re.Match[str]) -> str:
        value = chr(int(found[1], 16)) if found[1] else ESCAPES.get(found[2] or "")
        if value is None:
            raise Malformed("TC0107", offset + found.start(), offset + found.end(), found=found[0])
        return value

    value = ESCAPE.sub(replacement, raw)
    if re.search("[\ud800-\udfff]", value):
        try:
            value = value.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError:
            raise Malformed("TC0107", offset, offset + len(raw), found="\\u") from None
    return value


def pieces(raw: str) -> Iterator[str | HoleText]:
    """The text and the holes between the quotes of an interpolating string, in order.

    Raises Malformed on a stray brace, a hole that is empty or does not end.
    """
    position, end = 1, len(raw) - 1
    text = ""
    text_start = 1
    while position < end:
        found = PIECE.match(raw, position, end)
        assert found is not None
        piece = found[0]
        if piece == "}":
            error = Malformed("TC0110", position, position + 1, found="a `}` without its `{`")
            error.mended, error.applicability = "}}", "safe"
            raise error
        if piece == "{":
            if text:
                yield unescape(text, text_start)
            hole = _hole(raw, position + 1, end)
            yield hole
            position = raw.index("}", hole.end + len(hole.format)) + 1
            text, text_start = "", position
        else:
            text += piece[0] if piece in ("{{", "}}") else piece
            position = found.end()
    if text:
        yield unescape(text, text_start)


def _hole(raw: str, start: int, end: int) -> HoleText:
    position = start
    depth = 0
    while position < end:
        found = SKIP.match(raw, position, end)
        assert found is not None
        piece = found[0]
        if piece in ("}", ":") and depth == 0:
            break
        depth += (piece in ("(", "[", "{")) - (piece in (")", "]", "}"))
        position = found.end()
    close = raw.find("}", position, end)
    if close < 0:
        error = Malformed("TC0110", start - 1, end, found="a `{` without its `}`")
        error.mended = "{" + raw[start - 1 : end]
        raise error
    if "\\" in QUOTED.sub("", raw[start:position]):
        found_here = "a backslash in an interpolation, where strings take single quotes"
        raise Malformed("TC0110", start - 1, close + 1, found=found_here)
    if not raw[start:position].strip():
        error = Malformed("TC0110", start - 1, close + 1, found="an empty hole")
        error.mended = "{" + raw[start - 1 : close] + "}}"
        raise error
    return HoleText(start, position, raw[position + 1 : close] if position < close else "")


def quote(text: str) -> str:
    """The literal of a raw string."""
    return f'"{escape(text)}"'


def escape(text: str, quotes: str = '"') -> str:
    """Text as it stands between double quotes, or in a hole between both kinds."""
    escaped = QUOTE.sub(lambda found: SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}", text)
    return escaped.replace("'", "\\'") if quotes == "'" else escaped


def braces(text: str, quotes: str = '"') -> str:
    """Text as it stands in a string that interpolates."""
    return escape(text, quotes).replace("{", "{{").replace("}", "}}")


def quote_single(text: str) -> str:
    """The literal of a string inside a hole."""
    return "'" + braces(text, "'") + "'"
