"""The spec in what a model says: in fences, among prose, or bare."""

from __future__ import annotations

import re
from typing import NamedTuple

from toolc.syntax.parser import parse
from toolc_runtime.chat import thinking

MAX_SPEC = 200_000
"""Characters of a spec that is looked at."""

_FENCE = re.compile(r"^[ \t]{0,12}(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*$")
_BEGINS = re.compile(r"^[ \t]*(?:toolc\s+[0-9]|environment[ \t]+[A-Za-z_])", re.MULTILINE)
_OWN = ("toolc", "")
"""Languages of fences that go on with a spec which an earlier one began."""


class Extracted(NamedTuple):
    """The text of a spec; None where there is none, and then a code and words for it."""

    text: str | None
    code: str = ""
    message: str = ""


def extract(reply: str) -> Extracted:
    """The spec in a reply. What begins with `toolc 1` or declares an environment is one."""
    said = thinking.apart(reply.encode("utf-8", "replace").decode())[1]
    if not said.strip():
        return Extracted(None, "empty", "the reply holds no text")
    text = _fenced(said) or _bare(said)
    if text is None:
        return Extracted(
            None, "no_spec", "the reply holds no spec: one begins with the line `toolc 1`"
        )
    if len(text) > MAX_SPEC:
        return Extracted(None, "too_long", f"the spec has more than {MAX_SPEC:,} characters")
    return Extracted(text.strip() + "\n")


def _fenced(said: str) -> str | None:
    """The last spec that begins in a fence, with what further fences of the language add to it."""
    found: list[str] = []
    for language, content in _fences(said):
        if _BEGINS.search(content):
            found = [content]
        elif found and language in _OWN:
            found.append(content)
    return "\n".join(found) if found else None


def _fences(said: str) -> list[tuple[str, str]]:
    """Language and content of each fence; the last may have no end."""
    fences: list[tuple[str, str]] = []
    mark = ""
    lines: list[str] = []
    language = ""
    for line in said.splitlines():
        fence = _FENCE.match(line)
        if mark and fence and fence[1].startswith(mark) and not fence[2]:
            fences.append((language, "\n".join(lines)))
            mark = ""
        elif mark:
            lines.append(line)
        elif fence:
            mark, language, lines = fence[1], fence[2].lower(), []
    return [*fences, (language, "\n".join(lines))] if mark else fences


def _bare(said: str) -> str | None:
    """What stands from the first line of a spec on; prose after its last brace goes where the rest
    then reads better."""
    begins = _BEGINS.search(said)
    if begins is None:
        return None
    text = said[begins.start() :]
    ends = [found.end() for found in re.finditer(r"^[}\])].*$", text, re.MULTILINE)]
    if len(text) > MAX_SPEC or not ends:
        return text
    short = text[: ends[-1]]
    return short if _faults(short) < _faults(text) else text


def _faults(text: str) -> int:
    return len(parse(text, "spec").diagnostics)
