"""Patterns in linear time, against Python's `re` where both mean the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from toolc_runtime.patterns import Pattern, PatternError

TEXTS = st.text(alphabet="ab01-\n", max_size=12)


def _patterns() -> st.SearchStrategy[str]:
    atom = st.sampled_from(
        ["a", "b", "0", ".", "[ab]", "[^a]", r"\d", r"\w", r"\S", "[0-1]", "-", "[^a-b0]"]
    )
    anchored = st.sampled_from(["^", "(?:^|a)"])

    def extend(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        group = inner.map(lambda text: f"({text})")
        counted = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "{0,}", "*?"])
        return st.one_of(
            st.tuples(inner, inner).map("".join),
            st.tuples(inner, inner).map("|".join),
            st.tuples(st.one_of(atom, group), counted).map("".join),
        )

    body = st.recursive(atom, extend, max_leaves=8)
    return st.one_of(body, st.tuples(anchored, body).map("".join))


@settings(max_examples=300, deadline=None)
@given(_patterns(), TEXTS)
def test_agrees_with_re(pattern: str, text: str) -> None:
    assert Pattern(pattern).search(text) == bool(re.search(pattern, text, re.ASCII))


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^#W[0-9]{7}$", "#W1234567", True),
        ("^#W[0-9]{7}$", "x#W1234567", False),
        ("a$", "a\n", False),
        ("$", "", True),
        ("^$", "a", False),
        ("", "anything", True),
        ("^[\\u4e00-\\u9fff]+$", "中文", True),
        ("^\\x41\\.$", "A.", True),
        ("a{,2}", "a{,2}", True),
        ("(?P<name>a)(?<other>b)", "ab", True),
        ("[]a]", "]", True),
        ("[a-]", "-", True),
        ("a|^b$|c", "b", True),
    ],
)
def test_search(pattern: str, text: str, found: bool) -> None:
    assert Pattern(pattern).search(text) is found


@pytest.mark.parametrize(
    "pattern",
    [
        "(a)\\1",
        "(?=a)",
        "(?<!a)b",
        "(?i)a",
        "\\bword",
        "\\pL",
        "a**",
        "a*+",
        "*a",
        "(a",
        "a)",
        "[a",
        "[b-a]",
        "a{5,2}",
        "a{9999}",
        "((a{100}){100}){100}",
        "\\",
        "^*",
        "[[:alpha:]]",
        "(" * 60 + ")" * 60,
    ],
)
def test_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        Pattern(pattern)


def test_catastrophic_patterns_end() -> None:
    """Each would take longer than the universe with backtracking."""
    text = "a" * 5_000
    assert not Pattern("^(a+)+$").search(text + "b")
    assert not Pattern("^(a|a)*b$").search(text)
    assert not Pattern("(x+x+)+y").search("x" * 5_000)


def test_the_table_is_bounded() -> None:
    pattern = Pattern("^(.|é)*[ab]$")
    text = "".join(map(chr, range(0x4E00, 0x4E00 + 20_000))) * 2
    assert pattern.search(text + "a")
    assert pattern._table.edges <= 20_001
