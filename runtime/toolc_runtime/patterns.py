"""Regular expressions matched in linear time: RE2's subset, without captures.

A pattern is parsed to an automaton and simulated with sets of its states; each set that occurs
becomes a state of a table that is built as texts are matched, so that a character costs one
lookup once the table is warm. The table is bounded and starts anew when it is full.

`search` is unanchored, as JSON Schema's `pattern` is. `^` and `$` are the start and the end of
the text (Python's `re` also lets `$` match before a final line break). `\\d`, `\\w`, `\\s` are
ASCII. Refused: back-references, look-around, `\\b`, flags, possessive quantifiers, `\\p`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from toolc_runtime.errors import PatternError

__all__ = ["Pattern", "PatternError", "compile_pattern"]

MAX_PROGRAM = 2_000
"""Instructions of a pattern's automaton."""
MAX_NESTING = 50
"""Depth of groups."""
_MAX_STATES = 512
_MAX_EDGES = 20_000
_TOP = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]

_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS = {"t": 9, "n": 10, "v": 11, "f": 12, "r": 13, "a": 7}
_PUNCTUATION = frozenset(r"\.+*?()|[]{}^$-/#&~ " + "\"'!%,:;<=>@_`")


def _negate(ranges: Ranges) -> Ranges:
    out: list[tuple[int, int]] = []
    low = 0
    for start, end in sorted(ranges):
        if start > low:
            out.append((low, start - 1))
        low = max(low, end + 1)
    if low <= _TOP:
        out.append((low, _TOP))
    return tuple(out)


# ---------------------------------------------------------------- parsing


class Chars(NamedTuple):
    ranges: Ranges


class Sequence(NamedTuple):
    parts: tuple[Node, ...]


class Choice(NamedTuple):
    parts: tuple[Node, ...]


class Repeat(NamedTuple):
    part: Node
    low: int
    high: int | None


class Assertion(NamedTuple):
    end: bool  # `$`, else `^`


Node = Chars | Sequence | Choice | Repeat | Assertion

_DOT = Chars(_negate(((10, 10),)))


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def error(self, message: str) -> PatternError:
        return PatternError(f"{message} at character {self.at + 1}")

    def peek(self) -> str:
        return self.text[self.at] if self.at < len(self.text) else ""

    def take(self) -> str:
        if self.at >= len(self.text):
            raise self.error("unexpected end")
        self.at += 1
        return self.text[self.at - 1]

    def choice(self) -> Node:
        parts = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeat())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def repeat(self) -> Node:
        part = self.atom()
        bounds = self.quantifier()
        if bounds is None:
            return part
        if isinstance(part, Assertion):
            raise self.error("nothing to repeat")
        if self.peek() == "?":  # lazy or greedy, the same texts match
            self.at += 1
        if self.quantifier() is not None:
            raise self.error("a repetition cannot be repeated")
        return Repeat(part, *bounds)

    def quantifier(self) -> tuple[int, int | None] | None:
        simple: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
        sign = self.peek()
        if sign in simple:
            self.at += 1
            return simple[sign]
        if sign != "{":
            return None
        close = self.text.find("}", self.at)
        low, comma, high = self.text[self.at + 1 : close].partition(",")
        if close < 0 or not _is_digits(low) or (high and not _is_digits(high)):
            return None
        least = int(low)
        most = least if not comma else int(high) if high else None
        if max(least, most or 0) > 1_000 or (most is not None and most < least):
            raise self.error("bad bounds of a repetition")
        self.at = close + 1
        return least, most

    def atom(self) -> Node:
        sign = self.take()
        if sign == "(":
            return self.group()
        if sign == "[":
            return Chars(self.bracket())
        if sign == ".":
            return _DOT
        if sign in "^$":
            return Assertion(sign == "$")
        if sign in "*+?":
            self.at -= 1
            raise self.error("nothing to repeat")
        if sign == "\\":
            return Chars(self.escape())
        return Chars(((ord(sign), ord(sign)),))

    def group(self) -> Node:
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.error("groups are nested too deeply")
        if self.peek() == "?":
            self.at += 1
            kind = self.take()
            if kind == "P":
                kind = self.take()
            if kind == "<" and self.peek() not in ("=", "!", ""):
                while self.take() != ">":
                    pass
            elif kind != ":":
                raise self.error("look-around, flags and references are not supported")
        inner = self.choice()
        if self.peek() != ")":
            raise self.error("missing `)`")
        self.at += 1
        self.depth -= 1
        return inner

    def escape(self) -> Ranges:
        sign = self.take()
        if sign.lower() in _CLASSES:
            ranges = _CLASSES[sign.lower()]
            return ranges if sign.islower() else _negate(ranges)
        code = self.escaped_code(sign)
        return ((code, code),)

    def escaped_code(self, sign: str) -> int:
        if sign in _CONTROLS:
            return _CONTROLS[sign]
        if sign in _PUNCTUATION:
            return ord(sign)
        if sign in ("x", "u"):
            if self.peek() == "{":
                close = self.text.find("}", self.at)
                digits = self.text[self.at + 1 : close] if close > 0 else ""
                self.at = close + 1
            else:
                width = 2 if sign == "x" else 4
                digits = self.text[self.at : self.at + width]
                self.at += width
                if len(digits) != width:
                    raise self.error("bad hexadecimal escape")
            if 0 < len(digits) <= 6 and all(c in "0123456789abcdefABCDEF" for c in digits):
                code = int(digits, 16)
                if code <= _TOP:
                    return code
            raise self.error("bad hexadecimal escape")
        raise self.error(f"`\\{sign}` is not supported")

    def bracket(self) -> Ranges:
        negated = self.peek() == "^"
        if negated:
            self.at += 1
        ranges: list[tuple[int, int]] = []
        first = True
        while first or self.peek() != "]":
            first = False
            low = self.bracket_item()
            if len(low) == 1 and low[0][0] == low[0][1] and self.ranged():
                self.at += 1
                high = self.bracket_item()
                if len(high) != 1 or high[0][0] != high[0][1] or high[0][0] < low[0][0]:
                    raise self.error("bad range")
                ranges.append((low[0][0], high[0][0]))
            else:
                ranges.extend(low)
        self.at += 1
        return _negate(tuple(ranges)) if negated else tuple(ranges)

    def ranged(self) -> bool:
        return self.peek() == "-" and self.text[self.at + 1 : self.at + 2] not in ("]", "")

    def bracket_item(self) -> Ranges:
        sign = self.take()
        if sign == "[" and self.peek() == ":":
            raise self.error("named classes are not supported")
        return self.escape() if sign == "\\" else ((ord(sign), ord(sign)),)


def _is_digits(text: str) -> bool:
    return 0 < len(text) <= 4 and text.isascii() and text.isdigit()


# ---------------------------------------------------------------- automaton


class _Program:
    """An instruction is `(ranges, next)`, `(None, targets)` or `(end, next)` for an assertion."""

    def __init__(self) -> None:
        self.consume: dict[int, tuple[Ranges, int]] = {}
        self.split: dict[int, tuple[int, ...]] = {}
        self.asserts: dict[int, tuple[bool, int]] = {}
        self.size = 1  # 0 is the match

    def new(self) -> int:
        if self.size > MAX_PROGRAM:
            raise PatternError("the pattern is too large")
        self.size += 1
        return self.size - 1

    def build(self, node: Node, then: int) -> int:
        return _BUILD[type(node)](self, node, then)

    def chars(self, node: Chars, then: int) -> int:
        at = self.new()
        self.consume[at] = (node.ranges, then)
        return at

    def sequence(self, node: Sequence, then: int) -> int:
        for part in reversed(node.parts):
            then = self.build(part, then)
        return then

    def choice(self, node: Choice, then: int) -> int:
        at = self.new()
        self.split[at] = tuple(self.build(part, then) for part in node.parts)
        return at

    def repeat(self, node: Repeat, then: int) -> int:
        if node.high is None:
            loop = self.new()
            self.split[loop] = (self.build(node.part, loop), then)
            then = loop
        else:
            skip = then
            for _ in range(node.high - node.low):
                at = self.new()
                self.split[at] = (self.build(node.part, then), skip)
                then = at
        for _ in range(node.low):
            then = self.build(node.part, then)
        return then

    def assertion(self, node: Assertion, then: int) -> int:
        at = self.new()
        self.asserts[at] = (node.end, then)
        return at

    def closure(self, states: list[int], start: bool, end: bool) -> frozenset[int]:
        seen: set[int] = set()
        todo = list(states)
        while todo:
            at = todo.pop()
            if at in seen:
                continue
            seen.add(at)
            if at in self.split:
                todo.extend(self.split[at])
            elif at in self.asserts:
                at_end, then = self.asserts[at]
                if end if at_end else start:
                    todo.append(then)
        return frozenset(at for at in seen if at not in self.split)


_BUILD: dict[type, Callable[[_Program, Node, int], int]] = {
    Chars: _Program.chars,  # type: ignore[dict-item]
    Sequence: _Program.sequence,  # type: ignore[dict-item]
    Choice: _Program.choice,  # type: ignore[dict-item]
    Repeat: _Program.repeat,  # type: ignore[dict-item]
    Assertion: _Program.assertion,  # type: ignore[dict-item]
}


class _State:
    """A set of instructions, with the states that follow it by character."""

    __slots__ = ("accepts", "edges", "ends", "members")

    def __init__(self, members: frozenset[int], accepts: bool) -> None:
        self.members = members
        self.accepts = accepts
        self.ends: bool | None = None  # whether the text may end here, once that was asked
        self.edges: dict[str, _State] = {}


class _Table:
    """The part of the determinised automaton that texts have visited."""

    __slots__ = ("edges", "start", "states")

    def __init__(self, start: _State) -> None:
        self.start = start
        self.states: dict[frozenset[int], _State] = {}
        self.edges = 0


class Pattern:
    """A compiled pattern; PatternError where the pattern is outside the subset."""

    __slots__ = ("_entry", "_program", "_table", "text")

    def __init__(self, text: str) -> None:
        parser = _Parser(text)
        node = parser.choice()
        if parser.at < len(text):
            raise parser.error("unmatched `)`")
        self.text = text
        self._program = _Program()
        self._entry = self._program.build(node, 0)
        self._table = self._fresh()

    def search(self, text: str) -> bool:
        """Whether the pattern matches somewhere in the text."""
        state = self._table.start
        for char in text:
            if state.accepts:
                return True
            state = state.edges.get(char) or self._step(state, char)
        if state.ends is None:
            members = self._program.closure(list(state.members), start=not text, end=True)
            state.ends = 0 in members
        return state.ends

    def _fresh(self) -> _Table:
        members = self._program.closure([self._entry], start=True, end=False)
        return _Table(_State(members, 0 in members))

    def _step(self, state: _State, char: str) -> _State:
        table = self._table
        if len(table.states) > _MAX_STATES or table.edges > _MAX_EDGES:
            table = self._table = self._fresh()
        code = ord(char)
        moved = [self._entry]
        for at in state.members:
            rule = self._program.consume.get(at)
            if rule is not None and any(low <= code <= high for low, high in rule[0]):
                moved.append(rule[1])
        members = self._program.closure(moved, start=False, end=False)
        following = table.states.get(members)
        if following is None:
            following = table.states[members] = _State(members, 0 in members)
        state.edges[char] = following
        table.edges += 1
        return following


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Pattern:
    """The compiled pattern, from a small cache; PatternError where it is outside the subset."""
    return Pattern(text)
