"""The spec in a reply."""

from __future__ import annotations

import pytest

from tests.emission.replies import GOOD, INJECTED, PYTHON, fenced
from toolc.emission.extract import MAX_SPEC, extract

HEAD, _, TAIL = GOOD.partition("scenario ")


@pytest.mark.parametrize(
    "reply",
    [
        GOOD,
        f"Sure! Here it is.\n\n{GOOD}\nI hope that this helps: {{ask}} me for more.",
        fenced(GOOD),
        fenced(GOOD, "").replace("```", "~~~~"),
        fenced(GOOD, "text"),
        fenced(GOOD)[: -len("```\n\nTell me what to change!")],
        f"<think>\n```toolc\ntoolc 1\nenvironment draft\n```\n</think>\n{fenced(GOOD)}",
        f"A draft:\n```toolc\ntoolc 1\n```\nNow the whole:\n{fenced(GOOD)}",
        f"{PYTHON}\nIn toolc that is:\n{fenced(GOOD)}",
        f"```toolc\n{HEAD}```\nand the scenario:\n```toolc\nscenario {TAIL}```",
    ],
    ids=lambda text: str(len(text)),
)
def test_it_is_found_whole(reply: str) -> None:
    assert "".join(str(extract(reply).text).split()) == "".join(GOOD.split())


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("<think>I do not know", "empty"),
        ("I am sorry, I cannot do that.", "no_spec"),
        (PYTHON, "no_spec"),
        (INJECTED, "no_spec"),
        ("toolc 1\n" + "# aa\n" * MAX_SPEC, "too_long"),
    ],
)
def test_where_there_is_none_it_is_told(reply: str, code: str) -> None:
    found = extract(reply)
    assert (found.text, found.code) == (None, code)
    assert found.message


def test_any_reply_is_read() -> None:
    assert extract("toolc 1 \ud800 environment").text == "toolc 1 ? environment\n"
