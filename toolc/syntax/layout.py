"""Documents that know how to break: a small pretty printer in the manner of Wadler and Prettier.

A document is a string, a list of documents, or one of the classes here. A group stands on one line
where that fits, else all of its own lines break.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, Union

Doc: TypeAlias = Union[str, Sequence["Doc"], "Line", "Group", "Indent", "IfBroken", "Remark"]


class Line:
    """A possible line break: `flat` where it does not break, an empty line too where `blank`."""

    __slots__ = ("blank", "flat", "hard")

    def __init__(self, flat: str = " ", *, hard: bool = False, blank: bool = False) -> None:
        self.flat, self.hard, self.blank = flat, hard, blank


class Remark:
    """A comment at the end of a line: it has no width, and the line ends after it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class IfBroken:
    """Text that stands only where the group breaks."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


class Indent:
    """Lines inside are indented one step further."""

    __slots__ = ("doc", "hard")

    def __init__(self, doc: Doc) -> None:
        self.doc, self.hard = doc, is_hard(doc)


class Group:
    """Lines inside break together, or not at all."""

    __slots__ = ("doc", "hard")

    def __init__(self, doc: Doc) -> None:
        self.doc, self.hard = doc, is_hard(doc)


SPACE = Line()
SOFT = Line("")
HARD = Line(hard=True)


def is_hard(doc: Doc) -> bool:
    """Whether the document breaks whatever the width."""
    if isinstance(doc, str):
        return False
    if isinstance(doc, (Line, Group, Indent)):
        return doc.hard
    if isinstance(doc, (Remark, IfBroken)):
        return isinstance(doc, Remark)
    return any(map(is_hard, doc))


def print_doc(doc: Doc, width: int, step: int = 2) -> str:
    """The text of a document, without white space at the ends of lines."""
    out: list[str] = []
    column = 0
    # What is still to print, the next one last: indentation, whether flat, document.
    stack: list[tuple[int, bool, Doc]] = [(0, False, doc)]
    while stack:
        margin, flat, part = stack.pop()
        if isinstance(part, str):
            out.append(part)
            column += len(part)
        elif isinstance(part, Line):
            if flat:
                out.append(part.flat)
                column += len(part.flat)
            else:
                out.append("\n" * (1 + part.blank) + " " * margin)
                column = margin
        elif isinstance(part, Group):
            fits = not part.hard and (flat or _fits(part.doc, width - column, stack))
            stack.append((margin, fits, part.doc))
        elif isinstance(part, Indent):
            stack.append((margin + step, flat, part.doc))
        elif isinstance(part, IfBroken):
            if not flat:
                out.append(part.text)
                column += len(part.text)
        elif isinstance(part, Remark):
            out.append(part.text)
        else:
            stack.extend((margin, flat, piece) for piece in reversed(part))
    return "\n".join(line.rstrip() for line in "".join(out).split("\n"))


def _fits(doc: Doc, room: int, rest: list[tuple[int, bool, Doc]]) -> bool:
    """Whether the document, on one line, fits with what follows it up to the next line break."""
    stack: list[tuple[bool, Doc]] = [(True, doc)]
    following = len(rest)
    while room >= 0:
        if not stack:
            if following == 0:
                return True
            following -= 1
            _, flat, part = rest[following]
        else:
            flat, part = stack.pop()
        if isinstance(part, str):
            room -= len(part)
        elif isinstance(part, Line):
            if not flat or part.hard:
                return True
            room -= len(part.flat)
        elif isinstance(part, Group):
            stack.append((flat and not part.hard, part.doc))
        elif isinstance(part, Indent):
            stack.append((flat, part.doc))
        elif isinstance(part, IfBroken):
            room -= 0 if flat else len(part.text)
        elif not isinstance(part, Remark):
            stack.extend((flat, piece) for piece in reversed(part))
    return False
