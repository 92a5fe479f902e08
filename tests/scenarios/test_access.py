"""What a call reads is noticed, however the emitted code looks at a row."""

from __future__ import annotations

import pytest

from tests.scenarios.specs import compile_text, tasks_of

SPEC = """toolc 1
environment shelves "Shelves." version "1.0"
table books[title]: {{title: str, copies: int, shelf?: str}} = [
  {{title: "Emma", copies: 2}}, {{title: "Dune", copies: 1, shelf: "B"}}
]
tool look "Look." (title: str) -> str {{ {look} }}
tool lend "Lend." (title: str) -> int {{
  books[title].copies -= 1
  return books[title].copies
}}
scenario look_then_lend "Look, then lend." {{
  user "Look at Emma, then lend it."
  plan {{
    step look(title: "Emma")
    step lend(title: "{lent}")
  }}
}}
"""


@pytest.mark.parametrize(
    "look",
    [
        'return "{books[title].copies}"',
        'let row = books[title] else fail "unknown"\n  return "{row.copies}"',
        'return books[title].shelf ?? "none"',
        'return if title in books then "yes" else "no"',
        'return "{count(b for b in books)}"',
    ],
)
def test_a_row_that_is_looked_at_is_read(look: str) -> None:
    steps = tasks_of(compile_text(SPEC.format(look=look, lent="Emma")))["look_then_lend"]["turns"]
    assert [step["after"] for step in steps[0]["steps"]] == [[], [0]]


def test_another_row_is_not_read() -> None:
    text = SPEC.format(look='return books[title].shelf ?? "none"', lent="Dune")
    steps = tasks_of(compile_text(text))["look_then_lend"]["turns"]
    assert [step["after"] for step in steps[0]["steps"]] == [[], []]
