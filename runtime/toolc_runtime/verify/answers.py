"""Answers: finding the value that a model's final text gives, and judging it.

A last line `Answer: <JSON>` is taken as it stands. Without one, values like the expected one are
looked for in the text: the expected ones must all be there, and no further candidate that the
prompt does not hold. What is negated, what is quoted as JSON, and long results of tools that are
copied whole are not said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from toolc_runtime.values import canonical
from toolc_runtime.verify import literals
from toolc_runtime.verify.equality import show
from toolc_runtime.verify.literals import ABSOLUTE, Number

LONGEST = 20_000
"""Characters of a final text that are looked at: the last ones."""
TRUTH = {"yes": True, "true": True, "no": False, "false": False}
NOTHING = frozenset({"none", "nothing", "null", "empty", "no"})

_LINE = re.compile(r"[\s>#*_-]*(?:final[ ]+)?answer[*_ ]*:[*_ ]*(.*)", re.IGNORECASE | re.DOTALL)

MAX_JSON_STARTS = 100
"""Brackets in a text at which JSON is looked for."""

_BRACKET = re.compile(r"[\[{]")
_NEGATION = re.compile(
    r"\b(?:not(?!\s+only\b)|cannot|never|neither|nor|rather\s+than|instead\s+of|unlike|except"
    r"|[a-z]+n['\u2019]t)\b",
    re.IGNORECASE,
)
_NEGATED = re.compile(
    _NEGATION.pattern
    + r"(?:\s+(?!(?:and|but|is|are|was|were|it)\b)[^\s.,;:!?]+(?:[.,:][^\s.,;:!?]+)*){1,3}",
    re.IGNORECASE,
)
"""A negation and up to three words that it denies."""
_DENIES = re.compile(_NEGATION.pattern + r"(?:\s+[^\s.,;:!?]+){0,2}\s*$", re.IGNORECASE)


class Judgement:
    """Whether an answer is right, and why."""

    __slots__ = ("_expected", "_what", "right")

    def __init__(self, right: bool, expected: Any, what: str) -> None:
        self.right = right
        self._expected = expected
        self._what = what

    def describe(self) -> str:
        if self.right:
            return self._what
        return f"expected {show(self._expected)}: {self._what}"


class Answer:
    """An expected answer, made ready to judge texts.

    `json` is its JSON value. `kind` is its type as a spec writes it, where it is known: decimals
    and durations are text in JSON, and only the type tells them from text that looks like one.
    `candidates` are other texts that the answer could have been. `unordered`: members of lists may
    come in any order on an answer line, as they may in prose; `within`: how far numbers may be off.
    """

    __slots__ = ("_by_kind", "_candidates", "_kind", "_line", "_negative", "_reading", "json")

    def __init__(
        self,
        json: Any,
        kind: str = "",
        candidates: Iterable[str] = (),
        unordered: bool = False,
        within: float = 0.0,
    ) -> None:
        self.json = json
        self._kind = kind
        self._line = canonical(json)
        self._reading = _Reading(
            "decimal" in kind or not kind,
            "duration" in kind or not kind,
            unordered,
            _number_kind(literals.exact(within)) if within else _NUMBER,
        )
        self._candidates = tuple(candidates)
        by_kind: dict[int, tuple[_Kind, list[_Leaf]]] = {}
        for leaf in _leaves(json, self._reading):
            by_kind.setdefault(id(leaf.kind), (leaf.kind, []))[1].append(leaf)
        self._by_kind = tuple(by_kind.values())
        self._negative = any(
            leaf.kind is _TEXT and _NEGATION.search(leaf.value)
            for _, leaves in self._by_kind
            for leaf in leaves
        )

    def taken(self, unordered: bool, within: float) -> Answer:
        """The same answer, judged otherwise."""
        return Answer(self.json, self._kind, self._candidates, unordered, within)

    def judge(
        self,
        text: str,
        prompt: Callable[[], str] = str,
        results: Callable[[], Iterable[str]] = tuple,
    ) -> Judgement:
        """Judges a final text; `prompt` gives what the model was told, `results` the texts that
        tools gave."""
        text = text[-LONGEST:]
        line = answer_line(text)
        if line is None:
            return self._in_prose(self._without_copies(text, results()), prompt)
        if line == self._line:
            return Judgement(True, self.json, "the answer line has it")
        try:
            value = _read(line)
        except (ValueError, RecursionError):
            return self._in_prose(line, str)
        if _agrees(self.json, value, self._reading):
            return Judgement(True, self.json, "the answer line has it")
        return Judgement(False, self.json, f"the answer line has {_cut(line)}")

    def _without_copies(self, text: str, results: Iterable[str]) -> str:
        """The text without the results in it that say much more than the answer."""
        short = 2 * len(show(self.json)) + 20
        for result in results:
            if len(result) > short:
                for copy in (result, json.dumps(result, ensure_ascii=False)[1:-1]):
                    text = text.replace(copy, " | ")
        return text

    def _in_prose(self, text: str, prompt: Callable[[], str]) -> Judgement:
        text, quoted = _without_json(text)
        if any(_agrees(self.json, value, self._reading) for value in quoted):
            return Judgement(True, self.json, "the text has it as JSON")
        if not self._negative:
            text = _NEGATED.sub(" | ", text)
        others: list[str] = []
        for kind, leaves in self._by_kind:
            if kind is _TEXT:
                missing = next((one for one in leaves if not literals.holds(text, one.value)), None)
                further = _other_texts(leaves, text, prompt, self._candidates)
            else:
                missing, further = _compare(kind, leaves, text)
                if further and missing is None:
                    further = _not_excused(kind, leaves, further, prompt)
                if kind is _NOTHING and len(self._by_kind) == 1:
                    further = _other_texts((), text, prompt, self._candidates)
            if missing is not None:
                what = "it" if missing.json == self.json else show(missing.json)
                return Judgement(False, self.json, f"{what} is not in the text")
            others += further
        if others:
            return Judgement(False, self.json, f"the text also has {show(others[0])}")
        return Judgement(True, self.json, "the text has it")


def answer_line(text: str) -> str | None:
    """What follows `Answer:` in the last line that is not blank, without Markdown around it."""
    last = text.rstrip().rpartition("\n")[2]
    hit = _LINE.match(last)
    if hit is None:
        return None
    return hit[1].strip().strip("*`").strip()


def _cut(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


# ---------------------------------------------------------------- kinds of values


class _Kind(NamedTuple):
    """How values of a kind are found in text.

    `read` gives the candidates, `means` says whether one is a value, `written` how it stood in the
    text. `excused`: the prompt's own candidates do not count as further ones.
    """

    read: Callable[[str], list[Any]]
    means: Callable[[Any, Any], bool]
    written: Callable[[Any], str]
    excused: bool = True


class _Leaf(NamedTuple):
    """A scalar of the expected answer, in the form that its kind compares."""

    kind: _Kind
    value: Any
    json: Any

    def is_all_of(self, text: str) -> bool:
        """Whether a text, as a whole, is this value."""
        if self.kind is _TEXT:
            return literals.plain_words(text) == literals.plain_words(self.value)
        found = self.kind.read(text)
        whole = text.strip().casefold()
        return (
            len(found) == 1
            and self.kind.written(found[0]).casefold() == whole
            and self.kind.means(found[0], self.value)
        )


def _moments(read: Callable[[str], Iterator[tuple[str, str]]]) -> _Kind:
    return _Kind(
        lambda text: list(read(text)),
        lambda token, value: bool(token[0] == value),
        lambda token: str(token[1]),
    )


def _number_kind(within: Decimal) -> _Kind:
    return _Kind(
        lambda text: list(literals.numbers(text)),
        lambda token, value: bool(token.means(value, within)),
        lambda token: str(token.text),
    )


_NUMBER = _number_kind(ABSOLUTE)
_BOOL = _Kind(
    lambda text: [word for word in sorted(literals.words(text)) if word in TRUTH],
    lambda token, value: TRUTH[token] is value,
    str,
    excused=False,
)
_NOTHING = _Kind(
    lambda text: sorted(literals.words(text) & NOTHING), lambda token, value: True, str
)
_TEXT = _Kind(lambda text: [], lambda token, value: False, str)
_MOMENTS = tuple(
    (shape, _moments(read), literals.whole_seconds) for shape, read in literals.MOMENTS
)
_DURATIONS = ((literals.DURATION, _moments(literals.durations), literals.duration),)
"""Forms of text that are more than text, what reads them, and how they are compared."""


class _Reading(NamedTuple):
    """How an answer's scalars are read: whether texts may be decimals and durations, whether lists
    have an order, and what numbers mean."""

    decimals: bool
    durations: bool
    unordered: bool
    number: _Kind


def _leaf(value: Any, reading: _Reading) -> _Leaf:
    if isinstance(value, bool):
        return _Leaf(_BOOL, value, value)
    if isinstance(value, (int, float)):
        return _Leaf(reading.number, literals.exact(value), value)
    if value is None:
        return _Leaf(_NOTHING, None, None)
    if reading.decimals and literals.is_decimal(value):
        return _Leaf(reading.number, Decimal(value), value)
    for shape, kind, compared in (*_MOMENTS, *_DURATIONS) if reading.durations else _MOMENTS:
        if shape.fullmatch(value):
            return _Leaf(kind, compared(value), value)
    return _Leaf(_TEXT, value, value)


def _leaves(value: Any, reading: _Reading) -> Iterator[_Leaf]:
    """The scalars of a value; an empty list or object counts as null."""
    if isinstance(value, (list, dict)) and value:
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item, reading)
    else:
        yield _leaf(None if isinstance(value, (list, dict)) else value, reading)


# ---------------------------------------------------------------- an answer line


def _without_json(text: str) -> tuple[str, list[Any]]:
    """The text without the JSON objects and lists in it, and those of them that are not denied."""
    kept, values, end = [], [], 0
    start = _BRACKET.search(text)
    for _ in range(MAX_JSON_STARTS):
        if start is None:
            break
        try:
            value, after = _DECODER.raw_decode(text, start.start())
        except (ValueError, RecursionError):
            after = start.end()
        else:
            kept.append(text[end : start.start()])
            if not _DENIES.search(kept[-1]):
                values.append(value)
            end = after
        start = _BRACKET.search(text, after)
    return " | ".join([*kept, text[end:]]), values


def _read(line: str) -> Any:
    """The JSON value of a line, numbers as `Number`, which knows how they were written; ValueError
    where it is not JSON."""
    return _DECODER.decode(line)


def _number(text: str) -> Number:
    number = literals.number(text)
    if number is None:
        raise ValueError("not a number that an answer has")
    return number


def _refuse(text: str) -> Any:
    raise ValueError(text)


_DECODER = json.JSONDecoder(parse_int=_number, parse_float=_number, parse_constant=_refuse)


def _agrees(expected: Any, value: Any, reading: _Reading) -> bool:
    """Whether a value of an answer line is the expected one: lists in order, where they have one,
    objects with exactly these keys."""
    if isinstance(expected, list):
        if not isinstance(value, list) or len(expected) != len(value):
            return False
        if reading.unordered:
            return _pairs_off(expected, value, reading)
        return all(_agrees(item, value[at], reading) for at, item in enumerate(expected))
    if isinstance(expected, dict):
        return (
            isinstance(value, dict)
            and expected.keys() == value.keys()
            and all(_agrees(item, value[key], reading) for key, item in expected.items())
        )
    leaf = _leaf(expected, reading)
    if isinstance(value, Number):
        if leaf.kind is _TEXT:
            return bool(leaf.value == value.text)
        return leaf.kind is reading.number and leaf.kind.means(value, leaf.value)
    if isinstance(value, str):
        return leaf.is_all_of(value)
    return value is expected


def _pairs_off(expected: list[Any], values: list[Any], reading: _Reading) -> bool:
    """Whether each expected member finds a value of its own, the first that agrees."""
    left = list(values)
    for item in expected:
        at = next((at for at, value in enumerate(left) if _agrees(item, value, reading)), None)
        if at is None:
            return False
        del left[at]
    return True


# ---------------------------------------------------------------- prose


def _compare(kind: _Kind, leaves: Sequence[_Leaf], text: str) -> tuple[_Leaf | None, list[str]]:
    """The first expected value that a text lacks, and the candidates in it that are none."""
    lacking = list(leaves)
    further = []
    for token in kind.read(text):
        meant = [leaf for leaf in leaves if kind.means(token, leaf.value)]
        if meant:
            lacking = [leaf for leaf in lacking if leaf not in meant]
        else:
            further.append(kind.written(token))
    return (lacking[0] if lacking else None), further


def _not_excused(
    kind: _Kind, leaves: Sequence[_Leaf], further: list[str], prompt: Callable[[], str]
) -> list[str]:
    """The candidates that the prompt does not hold. Where the prompt itself holds an expected
    value, it excuses none: else to repeat it would be an answer."""
    if not kind.excused:
        return further
    told = kind.read(prompt())
    if any(kind.means(token, leaf.value) for token in told for leaf in leaves):
        return further
    known = {kind.written(token) for token in told}
    return [one for one in further if one not in known]


def _other_texts(
    leaves: Sequence[_Leaf], text: str, prompt: Callable[[], str], candidates: Iterable[str]
) -> list[str]:
    """The same for texts, whose candidates have to be given. One that is part of an expected text
    counts only where it stands apart from it."""
    rest = text
    for leaf in sorted(leaves, key=lambda one: -len(one.value)):
        rest = literals.blank(rest, leaf.value)
    wanted = {literals.plain_words(leaf.value) for leaf in leaves}
    further = [
        other
        for other in candidates
        if literals.plain_words(other) not in wanted and literals.holds(rest, other)
    ]
    if not further:
        return []
    told = prompt()
    if any(literals.holds(told, leaf.value) for leaf in leaves):
        return further
    return [one for one in further if not literals.holds(told, one)]
