"""Warnings of what does nothing, and what is spared them."""

from __future__ import annotations

import pytest

from tests.analysis.samples import ENTRY, judge
from toolc.diagnostics.rules.sample import scenario, spec, tool
from toolc.fixing import fix

READ = tool("return books[title].pages")
STEP = 'user "How long is Emma?" plan { step get_pages(title: "Emma") }'


def codes(text: str) -> list[tuple[str, str]]:
    return [(each.code, text[each.span.start : each.span.end]) for each in judge(text)]


@pytest.mark.parametrize(
    "body",
    [
        ("let _rating = books[title].rating", "return lent"),
        ('let book = books[title] else fail "no such book"', "return lent"),
        ("let last = lend()", "return lent"),
        ("for book in books { lent += 1 }", "return lent"),
        ("let pages = books[title].pages", 'return len("{pages}")'),
    ],
)
def test_what_is_meant_is_spared(body: tuple[str, ...]) -> None:
    assert codes(tool(*body) + "proc lend() -> int { lent += 1 return lent }\n") in (
        [],
        [("TC0228", "lend")],
    )


def test_a_var_that_is_only_written_is_unused() -> None:
    text = tool("var longest = 0", "longest = 3", "return books[title].pages")
    assert codes(text) == [("TC0227", "longest")]


def test_parameters() -> None:
    log = 'tool note(text: str) -> str { return "" }\n'
    half = "tool find(title: str, year: int) -> int { return books[title].pages }\n"
    kept = half.replace("{ return", "{ let _ = year return")
    assert codes(spec(log)) == []
    assert codes(spec(half)) == [("TC0227", "year")]
    assert codes(spec(kept)) == []
    helper = "fn twice(n: int, m: int) -> int { return 2 * n }\n"
    assert codes(tool("return twice(n: 1, m: 2)") + helper) == [("TC0227", "m")]


def test_declarations_are_reached_through_others() -> None:
    used = "const factor = 2\nfn twice(n: int) -> int { return factor * n }\n"
    assert codes(tool("return twice(books[title].pages)") + used) == []
    assert codes(READ + used) == [("TC0228", "factor"), ("TC0228", "twice")]
    assert codes(READ + 'enum Shelf { "a" }\nrecord Place { shelf: Shelf }\n') == [
        ("TC0228", "Shelf"),
        ("TC0228", "Place"),
    ]
    assert codes(READ + "state found: int = 0\n") == [("TC0228", "found")]


@pytest.mark.parametrize(
    ("clauses", "idle"),
    [
        ("tools [get_pages] verify { never forget() }", "never forget()"),
        ("tools all verify { never forget() }", ""),
        ("tools [get_pages] verify { unchanged [lent] }", "unchanged [lent]"),
        ("verify { unchanged [lent] }", ""),
        ("limits { calls: 3 } verify { constraint calls <= 3 }", "constraint calls <= 3"),
        ("limits { calls: 3 } verify { constraint calls < 3 }", ""),
        ("verify { constraint calls <= 3 }", ""),
        (
            "tools [get_pages] verify { constraint calls(forget) < 1 }",
            "constraint calls(forget) < 1",
        ),
        ("tools [get_pages] verify { constraint calls(get_pages) < 2 }", ""),
        ("verify { constraint calls(forget) < 1 }", ""),
    ],
)
def test_guards_that_cannot_be_broken(clauses: str, idle: str) -> None:
    text = scenario(STEP, clauses) + "tool forget() -> int { lent = 0 return lent }\n"
    assert codes(text) == ([("TC0666", idle)] if idle else [])


@pytest.mark.parametrize(
    ("verify", "left"),
    [
        ("verify { unchanged [books] }", ""),
        ("verify { unchanged [books], order }", "verify { order }"),
        ("verify { order, unchanged [books] }", "verify { order }"),
        ("verify { order, never lend_book(), order }", None),
    ],
)
def test_an_idle_guard_can_be_taken_away(verify: str, left: str | None) -> None:
    text = scenario(STEP, verify)
    fixed = fix({ENTRY: text}, lambda texts: judge(texts[ENTRY])).texts[ENTRY]
    assert fixed == (text if left is None else text.replace(verify, left))
