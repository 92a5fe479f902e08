"""Mutations of specs: of their declarations, tokens and characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from random import Random

from tests.fuzz.corpus import corpus

TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|\w+|\s+|#[^\n]*|\*\*|//|\?\?|[=!<>+*-]=|->|\.\.\.|.', re.DOTALL
)
_ITEM = re.compile(
    r"^(?=(?:use|const|type|enum|record|union|table|state|invariant|fn|proc|tool|scenario|test)\b)",
    re.MULTILINE,
)
NAMES = [
    "class", "None", "True", "print", "self", "state", "str", "int", "list", "dict", "Fail",
    "State", "TOOLS", "__init__", "__class__", "_toolc", "_", "value", "case", "match", "type",
    "order", "steps", "answer", "from", "by", "lambda", "import", "x" * 300, "e", "E1", "json",
    "TypedDict", "Literal", "datetime", "con", "range", "len", "row", "now", "verifiers", "text",
    "calls", "seen", "weight", "reply", "unordered", "within", "tools_used",
]  # fmt: skip
NUMBERS = [
    "0", "1", "-1", "9223372036854775807", "9223372036854775808", "1e308", "1e309", "1e-400",
    "1_000_000_000", "0.0", "00", "9" * 400, "1.5", "1e400", "63", "2.5e-7", "100000", "1__0",
]  # fmt: skip
STRINGS = [
    '""', '"{"', '"}"', '"{}"', '"{{}}"', '"{x}"', '"{n:>1000000000}"', '"{n:.999999999f}"',
    '"\\""', "\"'\"", '"\\\\"', '"\\n"', '"\\u0000"', '"\\ud800"', '"\\u202e"', '"\\u200b"',
    '"\\"\\"\\""', "\"'''\"", '"\\\\\\""', '"# no comment"', '"%s %(x)s"', '"\\u2028"', '"é"',
    '"__class__"', '"class"', '"0"', '"-1"', '"null"', '"^(a+)+$"', '"(("', '"[a-"', '"a{1000}"',
    '"2024-02-30"', '"9999-12-31T23:59:59"', '"0001-01-01"', '"P99999999D"', '"PT0S"', '"../x"',
    '"/etc/passwd"', '"data.csv"', '"' + "x" * 500 + '"', '"{f(\'a\')}"', '"{a[\'b\'].c ?? 1}"',
    '"\\t"', '"\\r"', '"a b"', '"\U0001f600"', '"\\ud83d\\ude00"', '"Z"', '"*/"', '"${x}"',
]  # fmt: skip
TYPES = [
    "int", "str", "float", "bool", "decimal", "date", "time", "datetime", "duration", "json",
    "null", "list[int]", "list[list[str]]", "dict[str, int]", "dict[int, json]", "int?", "{}",
    "{...}", "{a: int}", '"a" | "b"', '"a" | null', "ref books", "(ref books)?", "list[json]?",
    "int(minimum: 3, maximum: 1)", 'str(pattern: "^a")', "list[int](unique_items: true)",
]  # fmt: skip
EXPRESSIONS = [
    "9 ** 9 ** 9", "1 / 0", "-(-1)", "not not true", "[x for x in range(100000)]", "[][0]",
    "{}", "[]", "null", "null ?? null", "(1 else fail 2)", "if true then 1 else 2", "now()",
    "range(10 ** 9)", "calculate('9**9**9')", "to_json(null)", "pad('x', 10 ** 9)",
    "[[y for y in xs] for x in xs]", "sum([])", "first([])", "''", "1 < 2 < 3", "random_int(0, 5)",
    "{...{}}", "values({})", "zip([1], ['a'])", "x.y.z", "f()", "[1][0:0]", "1 in [1]",
    'round(1.5, 10 ** 9)', "similarity('a', 'b')", 'duration("P1D") * 10 ** 9', 'matches("a", "(")',
]  # fmt: skip
CHARACTERS = [
    *'"{}[]()<>=:,.?!|\\/#*+-_% \n\t\r\0',
    "\ud800",
    "\u202e",
    "\u200b",
    "é",
    "\ufeff",
    "'",
]
_NAME = re.compile(r"[A-Za-z_]\w*\Z")
_SCALARS = {"int", "str", "float", "bool", "decimal", "date", "time", "datetime", "duration"}


@cache
def _declarations() -> tuple[str, ...]:
    return tuple(part for text in corpus().values() for part in _ITEM.split(text)[1:])


@cache
def tokens_of(text: str) -> tuple[str, ...]:
    """The text in pieces: strings, words, blanks, signs."""
    return tuple(TOKEN.findall(text))


def mutant(random: Random) -> str:
    """A spec of the corpus, or an excerpt of one, with a few mutations."""
    text = random.choice(list(corpus().values()))
    if len(text) > 1_500 and random.random() < 0.9:
        text = _excerpt(random, text)
    return mutated(random, text)


def mutated(random: Random, text: str) -> str:
    """The text after one mutation or a few."""
    tokens = list(tokens_of(text))
    for _ in range(random.choice((1, 1, 1, 2, 3, 6))):
        if tokens:
            random.choice(_MUTATIONS)(random, tokens)
    text = "".join(tokens)
    if random.random() < 0.15:
        text = _characters(random, text)
    return text


def _excerpt(random: Random, text: str) -> str:
    """The head of a spec and a few of its declarations, some of another spec."""
    head, *items = _ITEM.split(text)
    kept = set(random.sample(range(len(items)), min(len(items), random.randint(1, 6))))
    chosen = [item for index, item in enumerate(items) if index in kept]
    if random.random() < 0.3:
        chosen.insert(random.randint(0, len(chosen)), random.choice(_declarations()))
    return head + "".join(chosen)


# ---------------------------------------------------------------- tokens


def _delete(random: Random, tokens: list[str]) -> None:
    start = random.randrange(len(tokens))
    del tokens[start : start + random.choice((1, 1, 2, 5, 30))]


def _repeat(random: Random, tokens: list[str]) -> None:
    start = random.randrange(len(tokens))
    piece = tokens[start : start + random.choice((1, 2, 5, 20))]
    tokens[start:start] = piece * random.choice((1, 1, 2, 40))


def _swap(random: Random, tokens: list[str]) -> None:
    a, b = random.randrange(len(tokens)), random.randrange(len(tokens))
    tokens[a], tokens[b] = tokens[b], tokens[a]


def _splice(random: Random, tokens: list[str]) -> None:
    other = tokens_of(random.choice(list(corpus().values())))
    start, place = random.randrange(len(other)), random.randrange(len(tokens))
    end = place if random.random() < 0.5 else place + random.randrange(10)
    tokens[place:end] = other[start : start + random.randint(1, 25)]


def _truncate(random: Random, tokens: list[str]) -> None:
    if random.random() < 0.3:
        del tokens[random.randrange(len(tokens)) :]


def _nest(random: Random, tokens: list[str]) -> None:
    start = random.randrange(len(tokens))
    end = min(len(tokens), start + random.choice((1, 1, 3, 9)))
    left, right = random.choice((("(", ")"), ("[", "]"), ("{", "}"), ("abs(", ")"), ("list[", "]")))
    depth = random.choice((1, 1, 2, 60, 120))
    tokens[end:end] = [right] * depth
    tokens[start:start] = [left] * depth


def _replace(
    fits: Callable[[str], object], hostile: Sequence[str]
) -> Callable[[Random, list[str]], None]:
    """A mutation that puts another token of a kind, or a hostile one, into a token's place."""

    def mutate(random: Random, tokens: list[str]) -> None:
        places = [place for place, token in enumerate(tokens) if fits(token)]
        if places:
            place = random.choice(places)
            own = [tokens[each] for each in places]
            tokens[place] = random.choice(hostile if random.random() < 0.5 else own)

    return mutate


def _same_word(random: Random, tokens: list[str]) -> None:
    """Renames a word wherever it stands."""
    words = [token for token in tokens if _NAME.match(token)]
    if words:
        old, new = random.choice(words), random.choice([*NAMES, *words])
        tokens[:] = [new if token == old else token for token in tokens]


_MUTATIONS: tuple[Callable[[Random, list[str]], None], ...] = (
    _delete,
    _repeat,
    _swap,
    _splice,
    _truncate,
    _nest,
    _same_word,
    _replace(_NAME.match, NAMES),
    _replace(str.isdecimal, NUMBERS),
    _replace(lambda token: token[0] == '"', STRINGS),
    _replace(_SCALARS.__contains__, TYPES),
    _replace(lambda token: _NAME.match(token) or token.isdecimal(), EXPRESSIONS),
    _replace(lambda token: not token.isalnum() and not token.isspace(), list("+-*/%<>=|?:,.")),
)


# ---------------------------------------------------------------- characters


def _characters(random: Random, text: str) -> str:
    for _ in range(random.randint(1, 4)):
        start = random.randint(0, len(text))
        end = min(len(text), start + random.choice((0, 0, 1, 2, 8)))
        piece = "".join(random.choices(CHARACTERS, k=random.randrange(4)))
        text = text[:start] + piece + text[end:]
    return text
