"""What models of each family write, good and bad, and what is read of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from toolc_runtime.budget import MAX_INPUT
from toolc_runtime.chat import FORMATS, Reply, ToolCall, detect
from toolc_runtime.chat.families.openai import from_message
from toolc_runtime.chat.prompted import embed
from toolc_runtime.chat.written import MAX_CALLS
from toolc_runtime.errors import Malformed
from toolc_runtime.values import parse as parse_json

BAD = "a malformed call"
"""Stands for arguments that no tool takes."""

TOOLS: list[dict[str, Any]] = [
    {
        "type": "function",
        "function": {
            "name": "find",
            "description": "Finds.",
            "parameters": {
                "type": "object",
                "properties": {
                    "code": {"type": "string"},
                    "unit": {"enum": ["1", "2"]},
                    "limit": {"type": "integer"},
                    "note": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                    "tags": {"type": "array"},
                },
            },
        },
    }
]

NONE: list[tuple[str, Any]] = []

GOOD_AND_BAD: dict[str, dict[str, tuple[str, str, list[tuple[str, Any]]]]] = {
    "hermes": {
        # name: (text, content, calls as (name, arguments))
        "no call": ("The capital is Beijing.", "The capital is Beijing.", NONE),
        "one": (
            '<tool_call>\n{"name": "get_capital", "arguments": {"country": "China"}}\n</tool_call>',
            "",
            [("get_capital", {"country": "China"})],
        ),
        "said before": (
            'Let me look.\n<tool_call>{"name": "f", "arguments": {}}</tool_call><|im_end|>',
            "Let me look.\n\n<|im_end|>",
            [("f", {})],
        ),
        "several": (
            '<tool_call>\n{"name": "a", "arguments": {"x": 1}}\n</tool_call>\n'
            '<tool_call>\n{"name": "b", "arguments": {"x": [2, {"y": null}]}}\n</tool_call>',
            "",
            [("a", {"x": 1}), ("b", {"x": [2, {"y": None}]})],
        ),
        "thought": (
            '<think>\nI call <tool_call>{"name": "no"}</tool_call>?\n</think>\n\n'
            '<tool_call>\n{"name": "f", "arguments": {"x": "é"}}\n</tool_call>',
            "",
            [("f", {"x": "é"})],
        ),
        "thought, opened by the prompt": (
            'Hmm.\n</think>\n\nOn it.\n<tool_call>\n{"name": "f", "arguments": {}}\n</tool_call>',
            "On it.",
            [("f", {})],
        ),
        "thought without end": ("<think>\nI wonder whether <tool_call>", "", NONE),
        "not closed": (
            '<tool_call>\n{"name": "f", "arguments": {"x": 1}}',
            "",
            [("f", {"x": 1})],
        ),
        "closed by an opening": (
            '<tool_call>\n{"name": "a", "arguments": {}}\n<tool_call>\n{"name": "b", "arguments": '
            "{}}\n<tool_call>",
            "",
            [("a", {}), ("b", {})],
        ),
        "a tag within a text": (
            '<tool_call>{"name": "f", "arguments": {"x": "a <tool_call> tag"}}</tool_call>',
            "",
            [("f", {"x": "a <tool_call> tag"})],
        ),
        "arguments as text": (
            '<tool_call>{"name": "f", "arguments": "{\\"x\\": 1}"}</tool_call>',
            "",
            [("f", {"x": 1})],
        ),
        "parameters": (
            '<tool_call>{"parameters": {"x": 1}, "name": "f"}</tool_call>',
            "",
            [("f", {"x": 1})],
        ),
        "as OpenAI nests it": (
            '<tool_call>{"type": "function", "function": {"name": "f", "arguments": {"x": 1}}}'
            "</tool_call>",
            "",
            [("f", {"x": 1})],
        ),
        "no arguments": ('<tool_call>{"name": "f"}</tool_call>', "", [("f", {})]),
        "null": ('<tool_call>{"name": "f", "arguments": null}</tool_call>', "", [("f", {})]),
        "cut off": (
            '<tool_call>\n{"name": "f", "arguments": {"country": "Chi',
            "",
            [("f", BAD)],
        ),
        "a brace too few": (
            '<tool_call>\n{"name": "f", "arguments": {"x": 1}\n</tool_call>',
            "",
            [("f", BAD)],
        ),
        "a brace too many": (
            '<tool_call>{"name": "f", "arguments": {"x": 1}}}</tool_call>',
            "",
            [("f", BAD)],
        ),
        "Python": (
            "<tool_call>{'name': 'f', 'arguments': {'x': True}}</tool_call>",
            "",
            [("f", BAD)],
        ),
        "flat": ('<tool_call>{"name": "f", "country": "China"}</tool_call>', "", [("f", BAD)]),
        "a call in code": ("<tool_call>f(x=1)</tool_call>", "", [("", BAD)]),
        "a list": ('<tool_call>[{"name": "f", "arguments": {}}]</tool_call>', "", [("f", BAD)]),
        "no name": ('<tool_call>{"arguments": {"x": 1}}</tool_call>', "", [("", BAD)]),
        "a number for a name": (
            '<tool_call>{"name": 1, "arguments": {}}</tool_call>',
            "",
            [("", BAD)],
        ),
        "nothing": ("<tool_call></tool_call>", "", NONE),
        "arguments that are a list": (
            '<tool_call>{"name": "f", "arguments": [1]}</tool_call>',
            "",
            [("f", BAD)],
        ),
        "good, then bad, then said": (
            '<tool_call>{"name": "a", "arguments": {}}</tool_call> and '
            "<tool_call>{</tool_call> done",
            "and\n\ndone",
            [("a", {}), ("", BAD)],
        ),
    },
    "qwen3_coder": {
        "one": (
            "<tool_call>\n<function=find>\n<parameter=code>\n007\n</parameter>\n"
            "<parameter=limit>\n5\n</parameter>\n</function>\n</tool_call>",
            "",
            [("find", {"code": "007", "limit": 5})],
        ),
        "types follow the schema": (
            "I look.\n\n<tool_call><function=find><parameter=unit>1</parameter>"
            "<parameter=note>null</parameter><parameter=tags>[1, 2]</parameter></function>"
            "</tool_call>",
            "I look.",
            [("find", {"unit": "1", "note": None, "tags": [1, 2]})],
        ),
        "no schema": (
            "<tool_call><function=g><parameter=a>1.5</parameter><parameter=b>True</parameter>"
            "<parameter=c>so so</parameter></function></tool_call>",
            "",
            [("g", {"a": 1.5, "b": True, "c": "so so"})],
        ),
        "many lines": (
            "<tool_call>\n<function=find>\n<parameter=code>\n a\nb \n</parameter>\n</function>\n"
            "</tool_call>",
            "",
            [("find", {"code": " a\nb "})],
        ),
        "no outer tags": (
            "On it. <function=f>\n<parameter=x>\n1\n</parameter>\n</function>\n<function=g>\n"
            "</function>",
            "On it.",
            [("f", {"x": 1}), ("g", {})],
        ),
        "cut off": (
            "<tool_call>\n<function=find>\n<parameter=code>\n00",
            "",
            [("find", BAD)],
        ),
        "one end is missing": (
            "<tool_call>\n<function=find>\n<parameter=code>\n00\n</parameter>\n</tool_call>",
            "",
            [("find", BAD)],
        ),
        "the same argument twice": (
            "<tool_call><function=find><parameter=code>1</parameter><parameter=code>2</parameter>"
            "</function></tool_call>",
            "",
            [("find", BAD)],
        ),
        "the other format": ('<tool_call>{"name": "f"}</tool_call>', "", [("f", BAD)]),
    },
    "llama3": {
        "one": (
            '{"name": "get_capital", "parameters": {"country": "China"}}<|eot_id|>',
            "",
            [("get_capital", {"country": "China"})],
        ),
        "several": (
            '{"name": "a", "parameters": {}}; {"name": "b", "parameters": {"x": 1}};',
            "",
            [("a", {}), ("b", {"x": 1})],
        ),
        "with its type": (
            '{"type": "function", "name": "f", "parameters": {"x": "1"}}',
            "",
            [("f", {"x": "1"})],
        ),
        "arguments": ('{"arguments": {"x": 1}, "name": "f"}', "", [("f", {"x": 1})]),
        "tagged": (
            'I look.<|python_tag|>{"name": "f", "parameters": {}}<|eom_id|>',
            "I look.",
            [("f", {})],
        ),
        "an answer in JSON": (
            '{"name": "China", "people": 5}',
            '{"name": "China", "people": 5}',
            NONE,
        ),
        "a name in JSON": ('{"name": "China"}', '{"name": "China"}', NONE),
        "words": ('Call {"name": "f"}', 'Call {"name": "f"}', NONE),
        "cut off": ('{"name": "f", "parameters": {"x": "', "", [("f", BAD)]),
        "words after it": ('{"name": "f", "parameters": {}} is it.', "", [("f", BAD)]),
        "the second is bad": (
            '{"name": "a", "parameters": {}}; {"name": "b", "parameters": ',
            "",
            [("a", {}), ("b", BAD)],
        ),
        "code": ("<|python_tag|>import os", "", [("", BAD)]),
        "a built-in tool": (
            '<|python_tag|>brave_search.call(query="China")',
            "",
            [("brave_search", BAD)],
        ),
        "flat, tagged": ('<|python_tag|>{"name": "f", "x": 1}', "", [("f", BAD)]),
        "a tag and nothing": ("<|python_tag|>", "", [("", BAD)]),
    },
    "mistral": {
        "a list": (
            '[TOOL_CALLS] [{"name": "a", "arguments": {"x": 1}, "id": "9Ae3bDc2F"}, '
            '{"name": "b", "arguments": {}}]</s>',
            "",
            [("a", {"x": 1}), ("b", {})],
        ),
        "named": (
            'I look.[TOOL_CALLS]a[ARGS]{"x": 1}[TOOL_CALLS]b[ARGS]{}</s>',
            "I look.",
            [("a", {"x": 1}), ("b", {})],
        ),
        "named, with an id": (
            '[TOOL_CALLS]a[CALL_ID]9Ae3bDc2F[ARGS]{"x": 1}',
            "",
            [("a", {"x": 1})],
        ),
        "named, without the tag": ('[TOOL_CALLS]a{"x": 1}', "", [("a", {"x": 1})]),
        "thought": ("[TOOL_CALLS]a[ARGS]{}</think>", "", [("a", BAD)]),
        "nothing": ("[TOOL_CALLS]", "", NONE),
        "an empty list": ("[TOOL_CALLS][]", "", [("", BAD)]),
        "a list cut off": (
            '[TOOL_CALLS][{"name": "a", "arguments": {}}, {"name": "b", "argum',
            "",
            [("a", {}), ("b", BAD)],
        ),
        "a list without end": (
            '[TOOL_CALLS][{"name": "a", "arguments": {}}',
            "",
            [("a", {}), ("", BAD)],
        ),
        "words after the list": (
            '[TOOL_CALLS][{"name": "a", "arguments": {}}] so',
            "",
            [("a", {}), ("", BAD)],
        ),
        "named, cut off": ('[TOOL_CALLS]a[ARGS]{"x": ', "", [("a", BAD)]),
        "named, no object": ("[TOOL_CALLS]a[ARGS][1]", "", [("a", BAD)]),
    },
    "openai": {
        "words": ("Beijing", "Beijing", NONE),
        "content": ('{"role": "assistant", "content": "Beijing"}', "Beijing", NONE),
        "other JSON": ('{"capital": "Beijing"}', '{"capital": "Beijing"}', NONE),
        "a call": (
            '{"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": '
            '"function", "function": {"name": "f", "arguments": "{\\"x\\": 1}"}}]}',
            "",
            [("f", {"x": 1})],
        ),
        "arguments as an object, no id": (
            '{"content": "", "tool_calls": [{"function": {"name": "f", "arguments": {"x": 1}}}]}',
            "",
            [("f", {"x": 1})],
        ),
        "no arguments": (
            '{"tool_calls": [{"function": {"name": "f", "arguments": ""}}, '
            '{"function": {"name": "g"}}]}',
            "",
            [("f", {}), ("g", {})],
        ),
        "function_call": (
            '{"content": null, "function_call": {"name": "f", "arguments": "{}"}}',
            "",
            [("f", {})],
        ),
        "parts": (
            '{"content": [{"type": "text", "text": "Bei"}, {"type": "text", "text": "jing"}, 1]}',
            "Beijing",
            NONE,
        ),
        "arguments cut off": (
            '{"tool_calls": [{"function": {"name": "f", "arguments": "{\\"x\\": "}}]}',
            "",
            [("f", BAD)],
        ),
        "what is no call": (
            '{"tool_calls": [1, {}, {"function": "f"}, {"name": "f", "arguments": {}}, null]}',
            "",
            [("", BAD)] * 5,
        ),
        "one for a list": (
            '{"tool_calls": {"function": {"name": "f", "arguments": "{}"}}}',
            "",
            [("f", {})],
        ),
    },
}


def arguments_of(call: ToolCall) -> Any:
    """The arguments that an episode would take, or BAD: as it judges them."""
    try:
        given = parse_json(call.arguments)
    except Malformed:
        return BAD
    return given if type(given) is dict and call.name else BAD


CASES = [
    pytest.param(name, *case, id=f"{name}: {title}")
    for name, cases in GOOD_AND_BAD.items()
    for title, case in cases.items()
]


@pytest.mark.parametrize(("name", "text", "content", "calls"), CASES)
def test_what_is_read(name: str, text: str, content: str, calls: list[tuple[str, Any]]) -> None:
    reply = FORMATS[name].parse(text, TOOLS)
    assert [(call.name, arguments_of(call)) for call in reply.calls] == calls
    assert reply.content == content
    for call, (_, expected) in zip(reply.calls, calls, strict=True):
        if expected == BAD and name != "openai":
            assert call.arguments.removeprefix("[TOOL_CALLS]") in text


@pytest.mark.parametrize(("name", "text", "content", "calls"), CASES)
def test_the_format_is_told_where_there_are_calls(
    name: str, text: str, content: str, calls: list[tuple[str, Any]]
) -> None:
    found = detect(text)
    if calls and not text.startswith('<tool_call>{"name": "f"}'):
        assert found is not None and found.name == name
    elif not calls and "[TOOL_CALLS]" not in text and "<tool_call>" not in text:
        assert found is None


@pytest.mark.parametrize(
    ("text", "reasoning", "content"),
    [
        ("<think>\nSo.\n</think>\n\nYes.", "So.", "Yes."),
        ("So.\n</think>\n\nYes.", "So.", "Yes."),
        ("<think>\n\n</think>\n\nYes.", "", "Yes."),
        ("<think>So", "So", ""),
        ("Yes.", "", "Yes."),
    ],
)
@pytest.mark.parametrize("name", ["hermes", "qwen3_coder", "llama3", "mistral"])
def test_reasoning_is_kept_apart(name: str, text: str, reasoning: str, content: str) -> None:
    reply = FORMATS[name].parse(text)
    assert (reply.reasoning, reply.content, reply.calls) == (reasoning, content, ())


def test_reasoning_of_a_message() -> None:
    assert from_message({"content": "Yes.", "reasoning_content": "So."}).reasoning == "So."
    assert from_message({"content": "Yes.", "reasoning": "So."}).reasoning == "So."
    apart = from_message({"content": "<think>So.</think>Yes."})
    assert (apart.reasoning, apart.content) == ("So.", "Yes.")
    assert apart.to_message() == {
        "role": "assistant",
        "content": "Yes.",
        "reasoning_content": "So.",
    }


def test_ids_are_the_models_or_made_and_never_twice() -> None:
    def call(**more: Any) -> dict[str, Any]:
        return {"function": {"name": "f", "arguments": "{}"}, **more}

    given = [call(id="a"), call(id="a"), call(), call(id=7), call(id="\n"), call(id="x" * 999)]
    ids = [call.id for call in from_message({"tool_calls": given}, first=3).calls]
    assert ids == ["a", "call00004", "call00005", "call00006", "call00007", "call00008"]
    text = '[TOOL_CALLS][{"name": "f", "arguments": {}, "id": "abcdefghi"}]'
    assert FORMATS["mistral"].parse(text).calls[0].id == "abcdefghi"


def test_no_text_has_what_no_file_holds() -> None:
    text = '{"content": "\\ud800", "tool_calls": [{"id": "\\ud800", "function": {"name": "\\udfff",'
    text += ' "arguments": "\\ud83d"}}]}'
    json.dumps(FORMATS["openai"].parse(text).to_message(), ensure_ascii=False).encode()


def test_calls_without_end_are_one_malformed_call() -> None:
    for name, each in [
        ("hermes", '<tool_call>{"name": "f"}</tool_call>'),
        ("mistral", "[TOOL_CALLS]f[ARGS]{}"),
        ("llama3", '{"name": "f", "parameters": {}};'),
    ]:
        calls = FORMATS[name].parse(each * 5_000).calls
        assert len(calls) == MAX_CALLS
        assert calls[-2].name == "f" and calls[-1].name == ""


# ---------------------------------------------------------------- hostile texts

OPENINGS = {
    "hermes": "<tool_call>",
    "qwen3_coder": "<tool_call><function=f><parameter=a>",
    "llama3": "<|python_tag|>",
    "mistral": "[TOOL_CALLS]",
    "openai": '{"content": "',
}
DEEP = 10_000
HOSTILE: dict[str, str] = {
    "deep lists": "[" * DEEP,
    "deep objects": '{"a":' * DEEP,
    "deep and closed": "[" * DEEP + "]" * DEEP,
    "deep arguments": '{"name": "f", "arguments": ' + "[" * DEEP + "]" * DEEP + "}",
    "a megabyte": "a" * MAX_INPUT,
    "spaces": " " * MAX_INPUT,
    "a quote": '"' + "a" * MAX_INPUT,
    "quotes": '"' * MAX_INPUT,
    "backslashes": '"' + "\\" * MAX_INPUT,
    "braces": "{" * MAX_INPUT,
    "members": "{" + '"a":1,' * (MAX_INPUT // 6),
    "other members": "{" + "".join(f'"{n}":1,' for n in range(MAX_INPUT // 9)),
    "empty members": '{"name"' * (MAX_INPUT // 7),
    "digits": "9" * MAX_INPUT,
    "digits as arguments": '{"name": "f", "arguments": ' + "9" * MAX_INPUT + "}",
    "opened": "<tool_call>" * (MAX_INPUT // 11),
    "opened with braces": "<tool_call>{" * (MAX_INPUT // 12),
    "opened in texts": '<tool_call>["' * (MAX_INPUT // 13),
    "closed": "</tool_call>" * (MAX_INPUT // 12),
    "both": "<tool_call></tool_call>" * (MAX_INPUT // 23),
    "functions": "<function=f>" * (MAX_INPUT // 12),
    "functions in a tag": "<tool_call>" + "<function=f>" * (MAX_INPUT // 12),
    "parameters": "<tool_call><function=f>" + "<parameter=a>" * (MAX_INPUT // 13),
    "many parameters": "<function=f>"
    + "".join(f"<parameter=a{n}>1</parameter>" for n in range(30_000))
    + "</function>",
    "function unclosed": "<function=" * (MAX_INPUT // 10),
    "thoughts": "<think>" * (MAX_INPUT // 7),
    "thoughts ended": "</think>" * (MAX_INPUT // 8),
    "tags": "<|python_tag|>" * (MAX_INPUT // 14),
    "ends": "<|python_tag|>{" + "<|eot_id|>" * (MAX_INPUT // 10),
    "semicolons": '{"name": "f", "parameters": {}}' + ";" * MAX_INPUT,
    "mistral": "[TOOL_CALLS]" * (MAX_INPUT // 12),
    "mistral lists": "[TOOL_CALLS][" * (MAX_INPUT // 13),
    "mistral braces": "[TOOL_CALLS]f{" * (MAX_INPUT // 14),
    "mistral list": "[TOOL_CALLS][" + '{"name": "f"},' * (MAX_INPUT // 14),
    "calls in a message": '{"tool_calls": [' + "{}," * (MAX_INPUT // 3) + "{}]}",
}


@pytest.mark.parametrize("title", HOSTILE)
def test_hostile_texts_are_read_in_time_linear_in_them(title: str) -> None:
    """Nothing is timed: what takes quadratic time of a megabyte does not come to its end."""
    text = HOSTILE[title]
    for name, opening in OPENINGS.items():
        for whole in (text, opening + text):
            assert len(FORMATS[name].parse(whole).calls) <= MAX_CALLS
    detect(text)


PIECES = st.sampled_from(
    [
        *("<tool_call>", "</tool_call>", "<think>", "</think>", "<|python_tag|>", "[TOOL_CALLS]"),
        *("[ARGS]", "[CALL_ID]", "<function=f>", "</function>", "<parameter=a>", "</parameter>"),
        *(
            '{"name": "f", "arguments": {"a": 1}}',
            '{"name": "f"',
            ', "parameters": ',
            "{}",
            "[",
            "]",
        ),
        *(
            "{",
            "}",
            '"',
            ":",
            ",",
            ";",
            "\\",
            "\n",
            " ",
            "1",
            "null",
            "\ud800",
            "</s>",
            "<|eot_id|>",
        ),
        *('{"tool_calls": [', '{"function": {"name": "f"', '"function_call": ', '{"content": '),
    ]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join))


@settings(max_examples=1_500, deadline=None)
@given(TEXTS)
def test_nothing_raises(text: str) -> None:
    detect(text)
    for format in FORMATS.values():
        reply = format.parse(text, TOOLS)
        json.dumps(reply.to_message(), ensure_ascii=False).encode()
        assert format.render(reply) is not None
        for call in reply.calls:
            # What is no call has no arguments that a tool takes.
            assert call.name or arguments_of(call) == BAD


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=12) | PIECES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
ANY_VALUE = st.floats(allow_nan=False, allow_infinity=False) | VALUES
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_-]{0,20}", fullmatch=True)
JSON_OBJECTS = st.dictionaries(st.text(max_size=8), ANY_VALUE, max_size=4)
SAID = st.text(st.sampled_from("abc .,é\n"), max_size=20).map(str.strip)


def encodable(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def replies(objects: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Reply]:
    dumps: Callable[[Any], str] = json.dumps
    texts = objects.filter(encodable).map(dumps) | objects.filter(encodable).map(
        lambda value: json.dumps(value, ensure_ascii=False)
    )
    calls = st.builds(ToolCall, st.just(""), NAMES, texts)
    return st.builds(Reply, SAID, st.lists(calls, max_size=4).map(tuple), reasoning=SAID)


@pytest.mark.parametrize("name", ["hermes", "llama3", "mistral", "openai"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(replies(JSON_OBJECTS))
def test_what_is_rendered_is_read_again(name: str, reply: Reply) -> None:
    format = FORMATS[name]
    read = format.parse(format.render(reply))
    assert (read.content, read.reasoning) == (reply.content, reply.reasoning)
    assert [(call.name, json.loads(call.arguments)) for call in read.calls] == [
        (call.name, json.loads(call.arguments)) for call in reply.calls
    ]


PLAIN = st.text(st.characters(exclude_characters="<>", exclude_categories=["Cs"]), max_size=12)


@settings(max_examples=150, deadline=None)
@given(
    replies(
        st.fixed_dictionaries(
            {},
            optional={
                "code": PLAIN,
                "unit": st.sampled_from("12"),
                "limit": st.integers(),
                "tags": st.lists(PLAIN | st.none() | st.integers(), max_size=3),
            },
        )
    )
)
def test_what_is_rendered_in_tags_is_read_again_with_the_schema(reply: Reply) -> None:
    format = FORMATS["qwen3_coder"]
    reply = reply._replace(calls=tuple(call._replace(name="find") for call in reply.calls))
    read = format.parse(format.render(reply), TOOLS)
    assert [(call.name, json.loads(call.arguments)) for call in read.calls] == [
        (call.name, json.loads(call.arguments)) for call in reply.calls
    ]


@pytest.mark.parametrize("name", FORMATS)
def test_a_prompted_model_is_told_of_tools_and_results(name: str) -> None:
    format = FORMATS[name]
    call = ToolCall("call00000", "find", '{"code": "007"}')
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Find 007."},
        Reply("I look.", (call, call._replace(id="b")), reasoning="Hm.").to_message(),
        {"role": "tool", "tool_call_id": "call00000", "content": '"found"'},
        {"role": "tool", "tool_call_id": "b", "content": '"found again"'},
        {"role": "assistant", "content": "Found."},
    ]
    system, user, assistant, results, last = embed(messages, TOOLS, format)
    assert system["content"].startswith("Be brief.\n\n") and '"name": "find"' in system["content"]
    assert user == messages[1]
    assert "Hm." not in assistant["content"]
    said = format.parse(assistant["content"], TOOLS)
    assert said.content == "I look."
    assert [(c.name, json.loads(c.arguments)) for c in said.calls] == [
        ("find", {"code": "007"})
    ] * 2
    assert results["role"] == "user"
    assert '"found"' in results["content"] and '"found again"' in results["content"]
    assert format.parse(last["content"]).content == "Found."
    # The example in the prompt is a call in the format.
    example = detect(
        format.how.partition(":\n")[2].partition("\n" + "Without")[0].partition("\nTexts")[0]
    )
    assert example is not None and example.name == name


@pytest.mark.parametrize("name", FORMATS)
def test_a_malformed_call_stands_in_the_conversation_as_it_was_written(name: str) -> None:
    texts = {
        "hermes": '<tool_call>\n{"name": "f", "arguments": {"x": \n</tool_call>',
        "qwen3_coder": "<tool_call>\n<function=f>\n<parameter=x>\n</tool_call>",
        "mistral": '[TOOL_CALLS]f[ARGS]{"x": ',
        "openai": "",
        "llama3": '{"name": "f", "parameters": {"x":',
    }
    format = FORMATS[name]
    assert format.render(format.parse(texts[name])) == texts[name] or name == "openai"
