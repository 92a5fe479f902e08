"""Whatever the program, the checker gives diagnostics and raises nothing."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from toolc.analysis.check import check
from toolc.diagnostics.rules.sample import HEAD
from toolc.syntax.parser import parse

TEXT = (Path(__file__).parent / "everything.toolc").read_text(encoding="utf-8")
TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|\w+|\s+|#[^\n]*|\*\*|//|\?\?|[=!<>]=|->|\.\.\.|.', re.DOTALL
)
TOKENS = TOKEN.findall(TEXT)
WORDS = [token for token in TOKENS if not token.isspace() and token[0] != "#"]


def mutant(seed: int) -> str:
    """The text with a few tokens deleted, replaced, or a few repeated."""
    draw = random.Random(seed)
    tokens = list(TOKENS)
    for _ in range(draw.choice((1, 1, 2, 3))):
        place = draw.randrange(len(tokens))
        match draw.randrange(3):
            case 0:
                del tokens[place]
            case 1:
                tokens[place] = draw.choice(WORDS)
            case _:
                tokens[place:place] = tokens[place : place + draw.randrange(1, 40)]
    return "".join(tokens)


@pytest.mark.parametrize("group", range(8))
def test_mutants(group: int) -> None:
    for seed in range(group * 12, group * 12 + 12):
        text = mutant(seed)
        parsed = parse(text, "spec.toolc")
        if parsed.module is None:
            assert parsed.diagnostics
            continue
        for found in check({"spec.toolc": parsed.module}).diagnostics:
            assert 0 <= found.span.start <= found.span.end <= len(text)


WIDE = {
    "long list": "const xs = [" + "1, " * 5_000 + "]",
    "long sum": "const x = " + " + ".join(["1"] * 140),
    "deep list": "const x = " + "[" * 90 + "]" * 90,
    "deep type": "state x: " + "list[" * 90 + "int" + "]" * 90 + " = []",
    "deep record": "type T = " + "{a: " * 90 + "int" + "}" * 90,
    "many fields": "record R {" + ", ".join(f"f{n}: int" for n in range(2_000)) + "}",
    "many aliases": "\n".join(f"type T{n} = list[T{n + 1}]" for n in range(400))
    + "\ntype T400 = int",
    "aliases in a ring": "\n".join(f"type T{n} = T{(n + 1) % 50}" for n in range(50)),
    "constants in a row": "\n".join(f"const c{n} = c{n + 1}" for n in range(400))
    + "\nconst c400 = 1",
    "functions in a row": "\n".join(f"fn f{n}() -> int {{ return f{n + 1}() }}" for n in range(400))
    + "\nfn f400() -> int { return 1 }",
    "records in a row": "\n".join(f"record R{n} {{ a: R{n + 1} }}" for n in range(400))
    + "\nrecord R400 {}\nfn f(a: R0) -> R0 { return a }",
    "doubling text": "\n".join(f"const c{n + 1} = c{n} + c{n}" for n in range(60))
    + '\nconst c0 = "x"',
    "deep calls": "fn f(x: int) -> int { return " + "abs(" * 95 + "x" + ")" * 95 + " }",
    "deep conditions": "fn f(x: bool) -> bool { return " + "if x then x else " * 140 + "x }",
    "deep comprehensions": "const x = " + "[" * 90 + "1" + " for a in []]" * 90,
    "deep objects": "state x: json = " + "{a: " * 90 + "1" + "}" * 90,
    "deep blocks": "fn f(x: bool) -> bool { "
    + "if x { " * 90
    + "return x"
    + " }" * 90
    + " return x }",
    "deep failures": "fn f(x: int) -> int { return " + "(" * 90 + "x" + " else fail 1)" * 90 + "}",
    "deep defaults": "fn f(x: int?) -> int { return x" + " ?? x" * 145 + " ?? 1 }",
    "deep paths": "fn f(x: json) -> json { return x" + "[0]" * 145 + " }",
    "deep loops": "fn f() -> int { "
    + "for x in [1] { " * 90
    + "return x"
    + " }" * 90
    + " return 1 }",
    "huge product": "const x = " + " * ".join(["9999999999"] * 40),
    "huge power": "const x = 9 ** 9 ** 9 ** 9",
    "lookalikes": "record A { x: list[A] }\nrecord B { x: list[B] }\nfn f(a: A) -> B { return a }",
}


@pytest.mark.parametrize("text", WIDE.values(), ids=WIDE)
def test_sizes(text: str) -> None:
    parsed = parse(HEAD + text + "\n", "spec.toolc")
    if parsed.module is None:
        assert parsed.diagnostics
        return
    found = check({"spec.toolc": parsed.module})
    assert found.environment is not None or found.diagnostics or parsed.diagnostics
