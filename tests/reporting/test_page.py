"""The page as text: nothing of a run gets out of the JSON that it stands in."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reporting.runs import Json, unscored, write_run
from toolc.pages import Data, document, embedded
from toolc.reporting import page as pages
from toolc.reporting.bodies import MAX_ITEMS, body
from toolc.reporting.page import page
from toolc.reporting.run import read_run

HOSTILE = (
    "</script><script>window.hacked=1</script>",
    '<img src=x onerror="window.hacked=1">',
    "<!--<script>",
    "]]>&lt;&amp;",
    "\u2028\u2029\u202e\x00\x1b[31m\x7f",
    "\ud800 alone \udfff",
    "constructor",
    "__proto__",
    "#&=%zz?/\\",
    "javascript:window.hacked=1",
    "'\"`${window.hacked=1}",
)


def hostile(line: Json, text: str, number: int) -> Json:
    """An episode in which everything that others wrote is a hostile text."""
    call = {
        "tool": text,
        "arguments": {text: [text]},
        "result": text,
        "status": text,
        "turn": 0,
        "message": 0,
        "writes": {text: {text: {text: text}}},
    }
    function = {"name": text, "arguments": text}
    return {
        **line,
        "id": f"{number} {text}",
        "environment": text,
        "task": text,
        "kind": text,
        "messages": [
            {"role": "user", "content": text},
            {
                "role": "assistant",
                "content": text,
                "tool_calls": [{"id": text, "function": function}],
            },
            {"role": "tool", "tool_call_id": text, "content": text},
            {"role": text, "content": [{"type": "text", "text": text}]},
            {"role": "assistant", "content": text},
        ],
        "calls": [call, call],
        "changes": {
            text: {text: {"before": None, "after": {text: text}}},
            f"{text}2": {"before": text, "after": {text: 1}},
        },
        "verdict": {
            "reward": 0.5,
            "solved": 1,
            "goals": 2,
            "checks": [{"name": text, "kind": text, "value": 0, "weight": 1, "reason": text}],
        },
    }


class _Elements(HTMLParser):
    """The elements of a page with their attributes, and the texts of scripts."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag
        if tag in ("script", "style"):
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.texts:
            self.texts[self._open][-1] += data


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists, max_leaves=5))
def test_embedded_json_holds_no_markup_and_means_the_same(value: Any) -> None:
    text = embedded(value)
    assert not re.search("[<>&\u2028\u2029]", text)
    assert json.loads(text) == value


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_stay_data(careless: list[Json], folder: Path, text: str) -> None:
    lines = [
        careless[0],
        hostile(careless[1], text, 1),
        unscored(hostile(careless[2], text, 2), text),
    ]
    made = page(read_run(str(write_run(folder, lines, policy=text)))).html
    calm = page(read_run(str(write_run(folder / "calm", careless[:3])))).html
    found, expected = _Elements(made), _Elements(calm)
    assert [tag for tag, _ in found.elements] == [tag for tag, _ in expected.elements]
    assert found.texts["script"][-1] == expected.texts["script"][-1]
    assert not re.search("[\ud800-\udfff\x00]", made)
    head = json.loads(found.texts["script"][0])
    assert head["policy"] == text.encode("utf-8", "replace").decode()
    bodies = [json.loads(each) for each in found.texts["script"][1:-1]]
    assert [text in json.dumps(each, ensure_ascii=False) for each in bodies].count(True) <= 3
    assert any(said["text"] == text for each in bodies for said in each["said"])


def test_the_policy_allows_what_stands_in_the_page_and_nothing_else() -> None:
    html = document("<t>", "<p>", style="p{}", script="let x", data=[Data("d", embedded("<"))])
    found = _Elements(html)
    ((_, policy),) = [each for each in found.elements if each[1].get("http-equiv")]
    rules = dict(rule.split(" ", 1) for rule in str(policy["content"]).split("; "))
    hashes = {
        tag: b64encode(sha256(found.texts[tag][-1].encode()).digest()).decode()
        for tag in ("style", "script")
    }
    assert rules["default-src"] == "'none'"
    assert rules["style-src"] == f"'sha256-{hashes['style']}'"
    assert rules["script-src"] == f"'sha256-{hashes['script']}'"
    assert rules["trusted-types"] == "'none'"
    assert "<title>&lt;t&gt;</title>" in html


def test_the_page_names_no_other_place(careless: list[Json], folder: Path) -> None:
    html = page(read_run(str(write_run(folder, careless)))).html
    assert set(re.findall(r"https?://[^\s\"']+", html)) == {"http://www.w3.org/2000/svg"}
    assert not any(
        {"src", "href", "style", "onclick"} & attributes.keys()
        for _, attributes in _Elements(html).elements
    )


def test_what_does_not_fit_is_counted(
    careless: list[Json], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = read_run(str(write_run(folder, careless)))
    whole = page(run)
    assert (whole.unlisted, whole.without_body) == (0, 0)
    small = page(run, most=20_000)
    held = len(run.episodes) - small.without_body
    assert 0 < held < len(run.episodes)
    scripts = _Elements(small.html).elements
    numbers = [
        int(str(each["id"])[1:])
        for tag, each in scripts
        if str(each.get("id"))[:1] == "e" and tag == "script"
    ]
    assert len(numbers) == held
    assert not any(run.episodes[number].success for number in numbers)
    monkeypatch.setattr(pages, "MAX_ROWS", 7)
    assert page(run).unlisted == len(run.episodes) - 7


def test_huge_texts_are_cut_with_a_note(careless: list[Json]) -> None:
    huge = {**careless[0], "messages": [{"role": "user", "content": "x" * 3_000_000}]}
    text = body(huge, 100_000, embedded)
    assert text is not None and len(text) < 40_000
    assert "2,980,000 more characters" in text
    many = {**huge, "messages": [{"role": "user", "content": "x" * 9_000}] * 900}
    text = body(many, 1_000_000, embedded)
    assert text is not None and f"{900 - MAX_ITEMS} more messages" in text
    assert "7,000 more characters" in text
    assert body(many, 100, embedded) is None


def test_values_keep_their_digits(careless: list[Json]) -> None:
    wild = {"f": 1.0, "i": 12345678901234567890}
    call = {"tool": "t", "status": "ok", "arguments": wild, "result": None}
    text = body({**careless[0], "messages": [], "calls": [call]}, 10**6, embedded)
    assert text is not None
    assert json.loads(text)["rest"][0]["arguments"] == '{"f": 1.0, "i": 12345678901234567890}'


def test_calls_stand_with_what_was_read_of_them(careless: list[Json]) -> None:
    def call(id: str, name: str) -> Json:
        return {"id": id, "function": {"name": name, "arguments": "{}"}}

    record = {
        **careless[0],
        "messages": [
            {"role": "assistant", "content": "", "tool_calls": [call("1", "a"), call("2", "b")]},
            {"role": "tool", "tool_call_id": "2", "content": "second"},
            {"role": "tool", "tool_call_id": "1", "content": '"first"'},
            {"role": "assistant", "content": "", "tool_calls": [call("3", "lost")]},
            {"role": "tool", "tool_call_id": "3", "content": "third"},
            {"role": "tool", "tool_call_id": "4", "content": "of no call"},
        ],
        "calls": [
            {"tool": "a", "status": "ok", "arguments": {}, "result": "first"},
            {"tool": "b", "status": "ok", "arguments": {}, "result": 2},
            {"tool": "c", "status": "fault", "arguments": {}, "result": 3},
        ],
    }
    text = body(record, 10**6, embedded)
    assert text is not None
    found = json.loads(text)
    one, two = found["said"][0]["calls"]
    assert (one["tool"], one["result"], "read" in one) == ("a", '"first"', False)
    assert (two["tool"], two["result"], two["read"]) == ("b", "2", "second")
    (lost,) = found["said"][1]["calls"]
    assert (lost["status"], lost["result"]) == ("not recorded", "third")
    assert found["said"][2] == {"role": "tool", "text": "of no call"}
    assert [each["tool"] for each in found["rest"]] == ["c"]


def test_changes_are_shown_by_what_differs(careless: list[Json]) -> None:
    changes = {
        "loans": {
            "1": {"before": None, "after": {"due": "x"}},
            "2": {"before": {"due": "x", "n": 1}, "after": {"due": "y", "n": 1}},
            "3": {"before": {"due": "x"}, "after": None},
        },
        "count": {"before": 1, "after": 2},
    }
    text = body({**careless[0], "changes": changes}, 10**6, embedded)
    assert text is not None
    assert [
        (each["place"], each["what"], each["parts"]) for each in json.loads(text)["changes"]
    ] == [
        ('loans["1"]', "added", [["", None, '{"due": "x"}']]),
        ('loans["2"]', "changed", [[".due", '"x"', '"y"']]),
        ('loans["3"]', "removed", [["", '{"due": "x"}', None]]),
        ("count", "changed", [["", "1", "2"]]),
    ]
