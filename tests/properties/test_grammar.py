"""Random texts of the grammar: the parser, Lark, the formatter and the decoder's mask agree."""

import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.lark import from_lark
from lark.exceptions import UnexpectedInput
from llguidance import LLMatcher, LLTokenizer

from tests.syntax.samples import SPECS
from toolc.diagnostics.render import render
from toolc.node import same
from toolc.syntax import tables
from toolc.syntax.export import decoder_grammar
from toolc.syntax.formatter import format_module
from toolc.syntax.parser import parse
from toolc.syntax.words import NO_VALUE

LARK = tables.lark()
WORDS = ["a", "b", "xs", "order", "user", "state", "by", "table", "if", "from", "let"]
STRINGS = ['"x"', '"a {b}"', '"{{}}"', "\"{f(a, 'q'):.2f}!\"", '"\\n\\u0041"', '""']
VERSION = re.compile(r"(toolc\s+(?:# note\n|\s)*)[0-9._]+")
TEXTS = from_lark(
    LARK,
    start="start",
    explicit={
        **{
            t.name: st.just(f"{t.pattern.value} ")
            for t in LARK.terminals
            if t.pattern.type == "str"
        },
        "NAME": st.sampled_from(WORDS).map("{} ".format),
        "STRING": st.sampled_from(STRINGS).map("{} ".format),
        "NUMBER": st.sampled_from(["1 ", "2.5 ", "1_000 "]),
        "WS": st.sampled_from([" ", "\n", "\n\n\n"]),
        "COMMENT": st.just("# note\n"),
    },
).map(lambda text: VERSION.sub(r"\g<1>1", text))
TOKENS = LLTokenizer("byte")
MASK = LLMatcher.grammar_from_lark(decoder_grammar())
SETTINGS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def masked(text: str) -> bool:
    """Whether the decoder's mask lets the whole text through."""
    matcher = LLMatcher(TOKENS, MASK)
    tokens = TOKENS.tokenize_bytes(text.encode())
    return matcher.try_consume_tokens(tokens) == len(tokens) and bool(matcher.is_accepting())


def test_decoder_grammar_is_valid() -> None:
    assert LLMatcher.validate_grammar(MASK, TOKENS) == ""


def test_mask_accepts_the_samples_and_no_keyword_as_a_value() -> None:
    assert [name for name, text in SPECS.items() if not masked(text)] == []
    assert masked("toolc 1 const x = order")
    assert not masked("toolc 1 const x = else")
    assert not masked("toolc 1 const x = [1 2]")


@SETTINGS
@given(TEXTS)
def test_what_the_parser_accepts(text: str) -> None:
    module, diagnostics = parse(text, "spec")
    if module is None or diagnostics:
        return
    assert masked(text)
    formatted = format_module(module, text)
    again, found = parse(formatted, "spec")
    assert again is not None
    assert found == (), render(found, {"spec": formatted})
    assert same(module.items, again.items)
    assert len(module.comments) == len(again.comments)
    assert format_module(again, formatted) == formatted
    assert masked(formatted)


@SETTINGS
@given(TEXTS)
def test_what_lark_accepts(text: str) -> None:
    try:
        LARK.parse(text, start="start")
    except UnexpectedInput:
        return
    # Lark lets a keyword stand as a facet's value, where only a name of a constant can be meant.
    found = parse(text, "spec").diagnostics
    unexpected = [text[each.span.start : each.span.end] for each in found if each.code == "TC0101"]
    assert set(unexpected) <= NO_VALUE


@SETTINGS
@given(st.sampled_from(sorted(SPECS.values())), st.data())
def test_broken_texts_are_reported_and_fixes_apply(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 12)))
        piece = data.draw(
            st.sampled_from(["", ",", "=", "{", "}", '"', "'", "else", "//", " x ", "\\", "é"])
        )
        text = text[:start] + piece + text[end:]
    module, diagnostics = parse(text, "spec")
    assert module is not None or diagnostics
    for found in diagnostics:
        assert 0 <= found.span.start <= found.span.end <= len(text)
        for format in ("human", "plain", "json"):
            assert found.code in render([found], {"spec": text}, format)
    if module is not None and not diagnostics:
        assert masked(text)
