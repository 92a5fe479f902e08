"""`toolc emit` against a scripted server: it repairs what can be repaired, reports the rest, and
loses nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Toolc
from tests.emission.replies import (
    FAILING_TEST,
    FIXABLE,
    GOOD,
    INJECTED,
    PYTHON,
    RENAMED,
    UNKNOWN,
    by_description,
    cut,
    fenced,
)
from tests.eval.server import (
    Answer,
    Request,
    Server,
    fails,
    hangs_up,
    has_no_end,
    says,
    stays_silent,
)

PLANS: Mapping[str, list[Answer]] = {
    "plain-good": [says(fenced(GOOD))],
    "bare-renamed": [says(RENAMED)],
    "fixable-one": [says(fenced(FIXABLE.replace("price: 5", "price: 6")))],
    "unknown-field": [says(UNKNOWN), says(GOOD.replace("price: 5", "price: 7"))],
    "failing-test": [says(FAILING_TEST), says(GOOD.replace("price: 5", "price: 8"))],
    "python-first": [says(PYTHON), says(GOOD.replace("price: 5", "price: 9"))],
    "empty-first": [says(""), says(GOOD.replace("price: 5", "price: 10"))],
    "truncated-first": [cut(GOOD, 300), says(GOOD.replace("price: 5", "price: 11"))],
    "busy-first": [fails(429, retry_after="0"), says(GOOD.replace("price: 5", "price: 12"))],
    "broken-first": [hangs_up, says(GOOD.replace("price: 5", "price: 13"))],
    "never-right": [says(UNKNOWN)],
    "nonsense": [says("la " * 5_000)],
    "other-orders": [says(INJECTED)],
    "only-header": [says('toolc 1\nenvironment nothing "Nothing."\n')],
    "deep": [says("toolc 1\nconst a = " + "(" * 50_000)],
}
ACCEPTED = [name for name in PLANS if name not in ("never-right", "nonsense", "other-orders")][:-2]


def write(path: Path, names: list[str], *more: str) -> Path:
    lines = [json.dumps({"id": name, "description": f"A kiosk, {name}."}) for name in names]
    path.write_text("\n".join([*lines, *more]) + "\n")
    return path


def options(server: Server) -> list[str]:
    return ["--endpoint", server.url, "--model", "m", "--retries", "2", "--rounds", "2"]


def attempts(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "attempts.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], int]:
    """A run over every kind of reply: its folder, its summary, its exit status."""
    from toolc.cli import main

    folder = tmp_path_factory.mktemp("emitted")
    bad = ["{not json", '{"id": "../up", "description": "x"}', '{"id": "none"}', '"A text alone."']
    plans = {**PLANS, "A text alone.": [says(RENAMED.replace("price: 5", "price: 14"))]}
    ideas = write(folder / "ideas.jsonl", list(PLANS), *bad)
    with Server(by=by_description(plans)) as server:
        status = main(
            ["emit", "--descriptions", str(ideas), "-o", str(folder / "out"), *options(server)]
        )
    return folder / "out", json.loads((folder / "out" / "summary.json").read_text()), status


def test_what_can_be_repaired_is_and_the_rest_is_reported(
    made: tuple[Path, dict[str, Any], int],
) -> None:
    folder, summary, status = made
    assert status == 1
    assert summary["items"] == len(PLANS) + 4
    assert summary["accepted"] == len(ACCEPTED) + 1
    assert (summary["rejected"], summary["unusable"], summary["unanswered"]) == (5, 3, 0)
    assert summary["left_out"] == {
        "bare-renamed": "the same as plain-good",
        "never-right": summary["left_out"]["never-right"],
        "nonsense": "no_spec: the reply holds no spec: one begins with the line `toolc 1`",
        "other-orders": "no_spec: the reply holds no spec: one begins with the line `toolc 1`",
        "only-header": "no_tool: the spec declares no tool",
        "deep": summary["left_out"]["deep"],
        "line-16": "line 16 is not JSON",
        "line-17": "line 17: an `id` is up to 80 of A-Z a-z 0-9 . _ -",
        "none": "line 18 has no text `description`",
    }
    assert summary["left_out"]["never-right"].startswith("TC")
    kept = {path.stem for path in (folder / "specs").iterdir()}
    assert kept == {*ACCEPTED, "line-19"} - {"bare-renamed"}


def test_the_summary_tells_rounds_codes_fixes_and_tokens(
    made: tuple[Path, dict[str, Any], int],
) -> None:
    folder, summary, _ = made
    assert summary["accepted_by_round"] == [6, 11, 11]
    assert summary["accepted_share_by_round"] == [0.375, 0.6875, 0.6875]
    assert summary["by_code"]["no_spec"] == [3, 2, 2]
    assert summary["by_code"]["test"] == [1, 0, 0]
    assert summary["by_code"]["truncated"] == [1, 0, 0]
    assert summary["by_code"]["empty"] == [1, 0, 0]
    assert summary["fixed"].keys() >= {"TC0104"}
    assert summary["attempts"] == len(attempts(folder)) == 31
    assert summary["prompt_tokens"] == 11 * 30 + 11
    assert all(len(numbers) == 3 for numbers in summary["by_code"].values())


def test_the_specs_compile_together(
    made: tuple[Path, dict[str, Any], int], tmp_path: Path, toolc: Toolc
) -> None:
    ended = toolc("compile", str(made[0] / "specs"), "-o", "build", "-q")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert len(list((tmp_path / "build").glob("*/scenarios.jsonl"))) == 10
    assert toolc("fmt", "--check", str(made[0] / "specs")).returncode == 0


def test_what_goes_back_are_the_source_and_its_diagnostics(
    tmp_path: Path,
) -> None:
    from toolc.cli import main

    with Server(says(UNKNOWN), says(GOOD)) as server:
        out = str(tmp_path / "kiosk.toolc")
        assert main(["emit", "A kiosk.", "-o", out, "--log", out + ".log", *options(server)]) == 0
    first, second = (request.body for request in server.requests)
    assert "Three environments" in first["messages"][0]["content"]
    assert "A kiosk." in first["messages"][1]["content"]
    assert second["messages"][:2] == first["messages"]
    sent, told = (message["content"] for message in second["messages"][2:])
    assert "papers[title].cost" in sent
    finding = json.loads(next(line for line in told.splitlines() if line.startswith("{")))
    assert finding["code"].startswith("TC") and finding["line"] and "cost" in finding["message"]
    assert first["seed"] != second["seed"]
    assert first["max_tokens"] > 0
    lines = [json.loads(line) for line in Path(out + ".log").read_text().splitlines()]
    assert [line["round"] for line in lines] == [0, 1]
    assert Path(out).read_text() == GOOD


def test_one_spec_goes_to_standard_output(toolc: Toolc) -> None:
    with Server(says(fenced(FIXABLE))) as server:
        ended = toolc("emit", "A kiosk.", *options(server))
    assert (ended.returncode, ended.stdout.startswith("toolc 1\nenvironment kiosk")) == (0, True)
    with Server(says(UNKNOWN)) as server:
        ended = toolc("emit", "A kiosk.", *options(server), "--format", "json")
    assert (ended.returncode, json.loads(ended.stdout)["spec"]) == (1, None)
    assert "round 2: not accepted: TC" in ended.stderr


def test_the_audit_may_decide(tmp_path: Path, toolc: Toolc) -> None:
    told = GOOD.replace("What does the paper 'Times' cost?", "What does the other paper cost?")
    with Server(says(told), says(GOOD)) as server:
        ended = toolc("emit", "A kiosk.", "--audit", "--log", "log.jsonl", *options(server))
    assert ended.returncode == 0, ended.stderr
    first = json.loads((tmp_path / "log.jsonl").read_text().splitlines()[0])
    assert "audit.informed" in [each["code"] for each in first["problems"]]


@pytest.mark.parametrize("answer", [stays_silent, has_no_end, fails(503), fails(429)])
def test_a_model_that_does_not_answer_is_asked_again_by_the_next_run(
    tmp_path: Path, answer: Answer, toolc: Toolc
) -> None:
    ideas = write(tmp_path / "ideas.jsonl", ["good", "late"])
    bounded = ["--timeout", "4", "--retries", "0"]
    plans: dict[str, list[Answer]] = {"good": [says(GOOD)], "late": [answer]}
    with Server(by=by_description(plans)) as server:
        arguments = ["emit", "--descriptions", str(ideas), "-o", "out", "--endpoint", server.url]
        first = toolc(*arguments, "--model", "m", *bounded)
        assert first.returncode == 1
        assert "left out: late: " in first.stderr
        plans["late"] = [says(RENAMED.replace("price: 5", "price: 6"))]
        server.by = by_description(plans)
        asked = len(server.requests)
        assert toolc(*arguments, "--model", "m", *bounded).returncode == 0
        assert len(server.requests) == asked + 1
    assert {path.stem for path in (tmp_path / "out" / "specs").iterdir()} == {"good", "late"}


def test_a_server_that_refuses_ends_the_run(tmp_path: Path, toolc: Toolc) -> None:
    ideas = write(tmp_path / "ideas.jsonl", ["one", "two"])
    with Server(fails(401, b'{"error": {"message": "no such key"}}')) as server:
        ended = toolc("emit", "--descriptions", str(ideas), "-o", "out", *options(server))
    assert (ended.returncode, "no such key" in ended.stderr) == (2, True)


def test_a_run_that_is_killed_goes_on(tmp_path: Path, toolc: Toolc) -> None:
    names = [f"idea-{number}" for number in range(12)]
    ideas = write(tmp_path / "ideas.jsonl", names)

    def answer(request: Request) -> Answer:
        """A spec of the description's own, where it comes to be repaired."""
        messages = request.body["messages"]
        number = messages[1]["content"].partition("idea-")[2].partition(".")[0]
        right = GOOD.replace("price: 5", f"price: {number}")
        return says(right if len(messages) > 2 else UNKNOWN)

    with Server(by=answer) as server:
        arguments = ["emit", "--descriptions", str(ideas), "-o", "out", "-j", "3", *options(server)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"}
        process = subprocess.Popen(
            [sys.executable, "-m", "toolc", *arguments], cwd=tmp_path, env=environment
        )
        log = tmp_path / "out" / "attempts.jsonl"
        deadline = time.monotonic() + 60
        while not (log.exists() and log.read_bytes().count(b"\n") >= 5):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = log.read_bytes()
        with log.open("ab") as file:
            file.write(b'{"item": "idea-0", "torn')
        assert toolc(*arguments).returncode == 0
        # Those that were under way when it was killed were asked again, and no others.
        assert len(server.requests) <= 24 + 3
    assert log.read_bytes().startswith(kept)
    assert len(list((tmp_path / "out" / "specs").iterdir())) == 12
    summary = json.loads((tmp_path / "out" / "summary.json").read_text())
    assert summary["accepted_by_round"][:2] == [0, 12]


def test_another_run_in_the_folder_is_not_spoilt(tmp_path: Path, toolc: Toolc) -> None:
    ideas = write(tmp_path / "ideas.jsonl", ["one"])
    with Server(says(GOOD)) as server:
        arguments = ["emit", "--descriptions", str(ideas), "-o", "out", *options(server)]
        assert toolc(*arguments).returncode == 0
        ended = toolc(*arguments, "--audit")
        assert (ended.returncode, "another `audit`" in ended.stderr) == (2, True)
        assert toolc(*arguments, "--audit", "--fresh").returncode == 0


SERVER = ["--endpoint", "http://127.0.0.1:1/v1", "--model", "m"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "required"),
        (["x"], "say which model"),
        ([" ", *SERVER], "a description has"),
        (["x", "--endpoint", "ftp://x", "--model", "m"], "--endpoint"),
        (["--descriptions", "no.jsonl", "-o", "d", *SERVER], "no.jsonl"),
        (["--descriptions", "no.jsonl", *SERVER], "-o DIR"),
        (["x", "--model-path", "nowhere"], "is not a folder with a model"),
    ],
)
def test_wrong_usage(toolc: Toolc, arguments: list[str], words: str) -> None:
    ended = toolc("emit", *arguments)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
