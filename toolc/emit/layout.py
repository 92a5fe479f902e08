"""Where lines break: one logical line of tokens into physical lines, as Black would.

A port of Black's line splitting to the tokens that the printer makes: what fits stays on one
line; otherwise the last bracket pair opens up, its content goes on a line of its own or, where
that does not fit either, on one line for each delimiter of the highest priority. *Invisible*
parentheses stand where Black may add real ones.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

WIDTH = 88
COMPREHENSION, COMMA, TERNARY, LOGIC, COMPARATOR, DOT = 20, 18, 16, 14, 10, 1
ARITHMETIC = {"|": 9, "+": 5, "-": 5, "*": 4, "/": 4, "//": 4, "%": 4}


class Token:
    """One token. `before` and `after` are its priorities as a delimiter to break at; `parent` of
    an opening bracket is "atom", "trailer", "parameters" or "import"."""

    __slots__ = ("after", "before", "opening", "parent", "role", "space", "text")

    def __init__(
        self,
        text: str,
        *,
        space: bool = False,
        before: int = 0,
        after: int = 0,
        role: str = "",
        parent: str = "",
        opening: Token | None = None,
    ) -> None:
        self.text = text
        self.space = space
        self.before = before
        self.after = after
        self.role = role  # "open", "close", "string", "lambda", "for" or ""
        self.parent = parent
        self.opening = opening

    def __str__(self) -> str:
        return f" {self.text}" if self.space else self.text


class CannotSplit(Exception):
    pass


class Line:
    """Tokens of one line to be, with the delimiters at its top level."""

    def __init__(
        self, tokens: list[Token], depth: int, *, inside: bool, tracked: set[int] | None = None
    ) -> None:
        self.tokens = tokens
        self.depth = depth
        self.inside = inside
        self.explode = False
        self.delimiters: dict[int, int] = {}
        self.invisible: list[Token] = []
        self.optional: list[Token] = []
        self._track([t for t in tokens if tracked is None or id(t) in tracked])

    def _track(self, tokens: list[Token]) -> None:
        depth = 0
        variables: list[tuple[str, int]] = []
        previous: Token | None = None
        for token in tokens:
            if variables and variables[-1] == (token.text, depth):
                variables.pop()
                depth -= 1
            if token.role == "close":
                depth -= 1
            if depth == 0:
                if token.before and previous is not None:
                    self.delimiters[id(previous)] = token.before
                elif token.after:
                    self.delimiters[id(token)] = token.after
            if not token.text and token.role in ("open", "close"):
                self.invisible.append(token)
                if depth == 0:
                    self.optional.append(token)
            if token.role == "open":
                depth += 1
            previous = token
            if token.role in ("for", "lambda"):
                depth += 1
                variables.append(("in" if token.role == "for" else ":", depth))

    def __str__(self) -> str:
        if not self.tokens:
            return ""
        first, *rest = self.tokens
        return " " * (4 * self.depth) + first.text + "".join(map(str, rest))

    def priority(self, exclude: Token | None = None) -> int:
        """The highest priority of a delimiter here, 0 for none."""
        return max((p for key, p in self.delimiters.items() if key != id(exclude)), default=0)

    @property
    def fits(self) -> bool:
        return width(str(self)) <= WIDTH

    @property
    def starts_definition(self) -> bool:
        return bool(self.tokens) and self.tokens[0].text == "def"

    @property
    def starts_import(self) -> bool:
        return bool(self.tokens) and self.tokens[0].text in ("from", "import")


class Split(NamedTuple):
    head: Line
    body: Line
    tail: Line
    opening: Token
    closing: Token


def width(text: str) -> int:
    """Columns that a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def lay_out(tokens: list[Token], depth: int) -> list[str]:
    """The physical lines of one logical line, indented by `depth` levels."""
    return [str(line) for line in _transform(Line(tokens, depth, inside=False), False)]


def _transform(line: Line, forced: bool) -> list[Line]:
    text = str(line)
    if not line.explode and width(text) <= WIDTH:
        return [line]
    if line.starts_definition:
        transforms = [_left_hand_split]
    elif line.inside:
        transforms = [_delimiter_split, _right_hand_splits]
    else:
        transforms = [_right_hand_splits]
    for transform in transforms:
        try:
            return _run(line, transform, forced, text)
        except CannotSplit:
            continue
    return [line]


def _run(line: Line, transform: object, forced: bool, text: str) -> list[Line]:
    result: list[Line] = []
    for part in transform(line, forced):  # type: ignore[operator]
        if str(part) == text:
            raise CannotSplit
        result.extend(_transform(part, forced))
    if (
        forced
        or transform is not _right_hand_splits
        or not line.invisible
        or any(bracket.text for bracket in line.optional)
        or result[0].fits
    ):
        return result
    second = _run(_copy(line), transform, True, text)
    return second if all(part.fits for part in second) else result


def _copy(line: Line) -> Line:
    made: dict[int, Token] = {}
    for token in line.tokens:
        made[id(token)] = Token(
            token.text,
            space=token.space,
            before=token.before,
            after=token.after,
            role=token.role,
            parent=token.parent,
            opening=made.get(id(token.opening)),
        )
    copy = Line([made[id(token)] for token in line.tokens], line.depth, inside=line.inside)
    copy.explode = line.explode
    return copy


# ---------------------------------------------------------------- splits


def _left_hand_split(line: Line, forced: bool) -> list[Line]:
    start = next((i for i, t in enumerate(line.tokens) if t.role == "open"), None)
    if start is None:
        raise CannotSplit
    opening = line.tokens[start]
    stop = next((i for i, t in enumerate(line.tokens) if t.opening is opening), None)
    if stop is None or stop == start + 1:  # the pair was split before, or is empty
        raise CannotSplit
    head, body, tail = line.tokens[: start + 1], line.tokens[start + 1 : stop], line.tokens[stop:]
    return _visible(_split(line, head, body, tail, opening, line.tokens[stop]))


def _right_hand_splits(line: Line, forced: bool) -> list[Line]:
    first: list[Line] | None = None
    for omit in _trailers_to_omit(line):
        lines = _right_hand_split(line, omit, forced)
        if first is None and not omit:
            first = lines
        if lines[0].fits:
            return lines
    return first if first is not None else _right_hand_split(line, frozenset(), forced)


def _right_hand_split(line: Line, omit: frozenset[int], forced: bool) -> list[Line]:
    return _without_parentheses(_first_split(line, omit), line, omit, forced)


def _first_split(line: Line, omit: frozenset[int]) -> Split:
    """By the last bracket pair that is not omitted."""
    tokens = line.tokens
    for stop in range(len(tokens) - 1, -1, -1):
        closing = tokens[stop]
        if closing.role != "close" or id(closing) in omit:
            continue
        opening = closing.opening
        start = next((i for i, t in enumerate(tokens) if t is opening), None)
        if start is None or opening is None:
            raise CannotSplit
        if start + 1 == stop:  # an empty pair stays in the tail
            continue
        return _split(
            line, tokens[: start + 1], tokens[start + 1 : stop], tokens[stop:], opening, closing
        )
    raise CannotSplit


def _split(
    line: Line,
    head: list[Token],
    body: list[Token],
    tail: list[Token],
    opening: Token,
    closing: Token,
) -> Split:
    wants_comma = line.starts_import or (
        line.starts_definition
        and opening.text == "("
        and not any(t.after and t.role != "annotation" for t in body)
    )
    if wants_comma and body[-1].text != ",":
        body = [*body, Token(",", after=COMMA)]
    inner = Line(body, line.depth + 1, inside=True)
    trailing = body[-1].text == ","
    inner.explode = (
        bool(opening.parent)
        and inner.priority(body[-1] if trailing else None) == COMMA
        and (trailing or opening.parent in ("atom", "import"))
    )
    return Split(
        Line(head, line.depth, inside=False, tracked=_matched(head)),
        inner,
        Line(tail, line.depth, inside=False, tracked=set()),
        opening,
        closing,
    )


def _matched(tokens: Iterable[Token]) -> set[int]:
    """The tokens inside bracket pairs that are whole here."""
    found: set[int] = set()
    stack: list[list[int]] = []
    for token in tokens:
        if token.role == "open":
            stack.append([id(token)])
        elif token.role == "close":
            if stack:
                found.update(stack.pop(), (id(token),))
        elif stack:
            stack[-1].append(id(token))
    return found


def _visible(split: Split) -> list[Line]:
    if not split.opening.text:
        split.opening.text, split.closing.text = "(", ")"
    return [part for part in (split.head, split.body, split.tail) if part.tokens]


def _without_parentheses(
    split: Split, line: Line, omit: frozenset[int], forced: bool
) -> list[Line]:
    """The split, or one further left where the parentheses that it would add do not help."""
    if not forced and not split.opening.text and not line.starts_import and _can_omit(split.body):
        wider = frozenset({id(split.closing), *omit})
        try:
            other = _first_split(line, wider)
            if _prefers(other, split):
                return _without_parentheses(other, line, wider, forced)
        except CannotSplit:
            if not _can_be_split(split.body) and not split.body.fits:
                raise
    return _visible(split)


def _prefers(other: Split, split: Split) -> bool:
    """Whether to split at `other`, without the optional parentheses, rather than at `split`."""
    head = split.head.tokens
    if not (len(head) >= 2 and head[-2].text == "="):
        return True
    if not any(token.role in ("open", "close") for token in head[:-1]):
        return True
    if width(str(split.head)) > WIDTH - 1:
        return True
    for token in reversed(other.head.tokens):
        if token.text == "=":
            break
        if token.role == "close":
            return True
    return any(token.text == "=" for token in other.head.tokens) and other.head.fits


def _can_be_split(line: Line) -> bool:
    tokens = line.tokens
    if len(tokens) < 2:
        return False
    if tokens[0].role == "string" and tokens[1].text == ".":
        calls = dots = 0
        following = tokens[-1]
        for token in tokens[-2::-1]:
            if token.role == "open":
                if following.role != "close":
                    return False
                calls += 1
            elif token.text == ".":
                dots += 1
            elif token.role not in ("close", "name") or (
                token.role == "name" and not (following.text == "." or following.role == "open")
            ):
                return False
            if dots > 1 and calls > 1:
                return False
    return True


def _can_omit(line: Line) -> bool:
    """Whether a body reads as well without optional parentheses around it."""
    if not line.delimiters:
        return True
    priority = line.priority()
    if sum(p == priority for p in line.delimiters.values()) > 1:
        return False
    if priority == DOT:
        return True
    first, second = line.tokens[0], line.tokens[1]
    if first.role == "open" and second.role != "close" and _can_omit_opening(line, first):
        return True
    last = line.tokens[-1]
    if last.role == "close" and not (last.text == "]" and _parent(last) == "trailer"):
        if line.tokens[-2].role == "open":
            return False
        return _can_omit_closing(line, last)
    return False


def _parent(closing: Token) -> str:
    return closing.opening.parent if closing.opening else ""


def _can_omit_opening(line: Line, first: Token) -> bool:
    remainder = False
    length = 4 * line.depth
    for token in line.tokens:
        if token.role == "close" and token.opening is first:
            remainder = True
        if remainder:
            length += len(str(token))
            if length > WIDTH:
                return False
            if token.role == "open":
                remainder = False
    return True


def _can_omit_closing(line: Line, last: Token) -> bool:
    length = 4 * line.depth
    seen = False
    for token in line.tokens:
        length += len(str(token))
        if token is last.opening:
            if seen or length <= WIDTH:
                return True
        elif token.role == "open":
            seen = True
    return False


def _trailers_to_omit(line: Line) -> Iterator[frozenset[int]]:
    """Growing sets of closing brackets that a right-hand split should leave alone."""
    omit: frozenset[int] = frozenset()
    yield omit
    length = 4 * line.depth
    opening: Token | None = None
    closing: Token | None = None
    inner: set[int] = set()
    tokens = line.tokens
    for index in range(len(tokens) - 1, -1, -1):
        token = tokens[index]
        length += len(str(token))
        if length > WIDTH:
            return
        if opening is not None:
            if token is opening:
                opening = None
            elif token.role == "close":
                inner.add(id(token))
        elif token.role == "close":
            if index and tokens[index - 1].role == "open":
                inner.add(id(token))
                continue
            if closing is not None:
                omit = frozenset({*omit, id(closing), *inner})
                inner.clear()
                yield omit
            if token.text:
                opening, closing = token.opening, token


def _delimiter_split(line: Line, forced: bool) -> list[Line]:
    tokens = line.tokens
    priority = line.priority(tokens[-1]) if tokens else 0
    count = sum(p == priority for p in line.delimiters.values())
    if not priority or (priority == DOT and count == 1):
        raise CannotSplit
    groups: list[list[Token]] = [[]]
    for token in tokens:
        groups[-1].append(token)
        if line.delimiters.get(id(token)) == priority:
            groups.append([])
    if not groups[-1]:
        groups.pop()
    if priority == COMMA and groups[-1][-1].text != ",":
        groups[-1].append(Token(",", after=COMMA))
    return [Line(group, line.depth, inside=line.inside) for group in groups]
