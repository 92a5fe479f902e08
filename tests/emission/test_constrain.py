"""Constrained decoding: whatever a model writes under the grammar parses, wherever it is cut."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from tests.conftest import Toolc
from tests.eval.server import Server, says
from tests.eval.tiny import model_for, saved, tokenizer_for
from toolc.emission.constrain import Grammar
from toolc.guide import EXAMPLES, example
from toolc.models.local import LocalModel
from toolc.syntax.parser import parse

TEMPLATE = "{% for m in messages %}{{ m.content[-40:] }}{% endfor %}"


@pytest.fixture(scope="module")
def model() -> LocalModel:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    tokenizer = tokenizer_for(TEMPLATE)
    return LocalModel(model_for(tokenizer), tokenizer)


@pytest.fixture(scope="module")
def grammar(model: LocalModel) -> Grammar:
    return Grammar(model.tokenizer, model.ends)


def faults(text: str) -> list[str]:
    found = parse(text, "spec").diagnostics
    return [f"{each.code}: {each.message}" for each in found if each.severity == "error"]


@pytest.mark.slow
def test_two_hundred_samples_of_a_model_are_brought_to_an_end_and_parse(
    model: LocalModel, grammar: Grammar
) -> None:
    drawn = {"temperature": 1.0, "max_tokens": 40, "constraint": grammar}
    made = [model.generate("Write.", seed=seed, **drawn) for seed in range(200)]  # type: ignore[arg-type]
    texts = [each.text for each in made]
    assert {text: faults(text) for text in texts if faults(text)} == {}
    assert len(set(texts)) > 190
    assert sum("{" in text for text in texts) > 10


def test_a_spec_is_brought_to_an_end_wherever_it_is_cut(grammar: Grammar) -> None:
    for name in EXAMPLES:
        tokens = grammar.tokens.tokenize_str(example(name))
        for end in sorted(random.Random(name).sample(range(10, len(tokens)), 12)):
            writer = grammar.writer(0)
            text = writer.whole(tokens[:end])
            assert text.startswith(grammar.tokens.decode_str(tokens[:end]).rstrip("\ufffd"))
            assert faults(text) == []


@pytest.mark.parametrize(
    ("begun", "barred"),
    [
        ("toolc 1 const a = 1", "o"),  # `1or` is no number
        ("toolc 1 const a = 1", "i"),
        ("toolc 1 const a = x else", "f"),
        ("toolc 1 tool", "a"),
        ("toolc 1 type a = int?", "?"),
        ("toolc 1 const a = b\n", "//"),
        ("toolc 1 const a = b\n/", "/"),
        ('toolc 1 const a = ""', '"'),
        ('toolc 1 const a = "{b', "\n"),
        ('toolc 1 const a = "{b', "#"),
        ('toolc 1 const a = "', "} "),
        ('toolc 1 const a = "', "\n"),
        ("toolc 1 fn f() -> int { for x in", "t"),
    ],
)
def test_what_the_parser_would_not_read_is_barred(
    grammar: Grammar, begun: str, barred: str
) -> None:
    writer = grammar.writer(0)
    writer.take(grammar.tokens.tokenize_str(begun))
    (first, *_) = grammar.tokens.tokenize_str(barred)
    if len(barred) == 1:
        assert not writer.allowed()[first]
    else:
        writer.take([first])
        assert not writer.allowed()[grammar.tokens.tokenize_str(barred)[1]]


@pytest.mark.parametrize(
    ("begun", "free"),
    [
        ("toolc 1 const a = 1", "5.eE+ \n"),
        ("toolc 1 const a = 1e", "0+-"),
        ("toolc 1 const a = x els", "e"),
        ("toolc 1 const a = na", "melse1"),
        ("toolc 1 # any wor", "ds\n#"),
        ('toolc 1 tool a "{ any wor', 'ds{}"#'),
        ('toolc 1 const a = "\\u00', "1aF"),
        ('toolc 1 const a = "{f(', "'a1-{"),
        ("toolc 1 fn f() -> int { insert a in", "t "),
        ('toolc 1 test "a" { expect f() fail', "s"),
    ],
)
def test_what_it_reads_is_not(grammar: Grammar, begun: str, free: str) -> None:
    writer = grammar.writer(0)
    writer.take(grammar.tokens.tokenize_str(begun))
    allowed = writer.allowed()
    for char in free:
        assert allowed[grammar.tokens.tokenize_str(char)[0]], char


def test_the_guides_specs_may_be_written_token_by_token(grammar: Grammar) -> None:
    for name in EXAMPLES:
        writer = grammar.writer(0)
        for place, token in enumerate(grammar.tokens.tokenize_str(example(name))):
            assert writer.allowed()[token], example(name)[max(0, place - 40) : place + 1]
            writer.take([token])
        assert writer.allowed()[grammar.tokens.eos_token]


def test_emit_with_a_local_model(tmp_path: Path, toolc: Toolc) -> None:
    folder = saved(tmp_path / "tiny", TEMPLATE)
    arguments = ["--model-path", str(folder), "--max-tokens", "30", "--rounds", "0"]
    ended = toolc(
        "emit", "A kiosk.", *arguments, "--constrain", "--temperature", "1", "--log", "log.jsonl"
    )
    assert ended.returncode == 1, ended.stderr
    line = json.loads((tmp_path / "log.jsonl").read_text())
    assert faults(line["reply"]) == []
    assert line["completion_tokens"] <= 30
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("option", "member"),
    [
        (["--constrain"], "structured_outputs"),
        (["--constrain", "guided_grammar"], "guided_grammar"),
    ],
)
def test_a_server_is_told_of_the_grammar(toolc: Toolc, option: list[str], member: str) -> None:
    with Server(says("")) as server:
        toolc(
            "emit", "A kiosk.", "--endpoint", server.url, "--model", "m", "--rounds", "0", *option
        )
    sent = server.requests[0].body[member]
    grammar = sent["grammar"] if isinstance(sent, dict) else sent
    assert "start: " in grammar and "%ignore" in grammar
