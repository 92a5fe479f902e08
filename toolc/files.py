"""Reading files that others wrote: bounded, plain files only, UTF-8 only."""

from __future__ import annotations

import os
import stat
from typing import Any

from toolc.node import Span

START = Span(0, 0)


class DataError(Exception):
    """A data file that cannot be read: the rule's code, the values of its message, the place.

    `text` is the file's text, in whose characters `span` counts; it is "" where the bytes are
    no text.
    """

    def __init__(self, code: str, span: Span, text: str, **values: Any) -> None:
        super().__init__(code, values)
        self.code = code
        self.span = span
        self.text = text
        self.values = values


def read_bytes(path: str, limit: int) -> bytes:
    """The bytes of a plain file of at most `limit` bytes. Raises OSError with the reason."""
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(0, "it is not a plain file", path)
    with open(path, "rb") as file:
        content = file.read(limit + 1) if status.st_size <= limit else b""
    if len(content) > limit or status.st_size > limit:
        raise OSError(0, f"it is larger than {limit // 2**20} MiB", path)
    return content


def inside(path: str, root: str) -> bool:
    """Whether a path, its links followed, is below a folder given by its real path."""
    return os.path.commonpath((os.path.realpath(path), root)) == root


def why(error: OSError) -> str:
    """The system's reason, as part of a message."""
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def decode(path: str, content: bytes) -> str:
    """UTF-8 text, an initial byte order mark left out. Raises `DataError`."""
    try:
        text = content.decode("utf-8-sig")
        wrong = content.find(b"\0")
    except UnicodeDecodeError as error:
        text, wrong = "", error.start
    if wrong < 0:
        return text
    line = content.count(b"\n", 0, wrong) + 1
    reason = f"line {line} is not UTF-8 text (at byte {wrong})"
    raise DataError("TC0401", START, "", file=path, reason=reason)
