"""`toolc eval` with models: a server that plays, one that fails, and a model in the process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.eval.server import (
    Answer,
    Request,
    Server,
    breaks_off,
    calls,
    fails,
    hangs_up,
    in_turn,
    playing,
    says,
    stays_silent,
)
from toolc.cli import main
from toolc_runtime import Environment

KEY = "sk-not-to-be-shown"
Eval = Callable[..., int]


@pytest.fixture
def evaluate(build: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Eval:
    """`toolc eval` of the small environment into `tmp_path / "run"`."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setenv("OPENAI_API_KEY", KEY)

    def run(*arguments: str) -> int:
        fixed = ["eval", str(build / "allotment"), "-o", str(tmp_path / "run"), "--unaudited"]
        return main([*fixed, *arguments])

    return run


@pytest.fixture
def plans(evaluate: Eval, allotment: Environment, tmp_path: Path) -> dict[str, Any]:
    """What the reference says in each task, by the task's first message, as a recording has it."""
    recorded = tmp_path / "reference"
    assert evaluate("--policy", "reference", "-o", str(recorded)) == 0
    found: dict[str, Any] = {}
    for line in (recorded / "episodes.jsonl").read_text().splitlines():
        messages = json.loads(line)["messages"]
        asked = next(message["content"] for message in messages if message["role"] == "user")
        found[asked] = [message for message in messages if message["role"] == "assistant"]
    return found


def lines(tmp_path: Path) -> list[dict[str, Any]]:
    text = (tmp_path / "run" / "episodes.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_server_that_plays_the_plans_gets_everything(
    evaluate: Eval, plans: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    with Server(by=in_turn([fails(500)], playing(plans))) as server:
        status = evaluate("--endpoint", server.url, "--model", "org/plans-1", "--format", "json")
    assert status == 0
    summary = json.loads(capsys.readouterr().out)
    told = sum(line["usage"]["prompt_tokens"] for line in lines(tmp_path))
    assert summary["episodes"] == len(lines(tmp_path)) and summary["not_scored"] == 0
    assert told == 11 * (len(server.requests) - 1)
    assert summary["policy"]["url"] == server.url and summary["policy"]["model"] == "org/plans-1"
    # What draws ids plays another plan with another seed, so not every task is solved.
    assert summary["success"] > 0.5
    assert any(request.headers["authorization"] == f"Bearer {KEY}" for request in server.requests)
    for file in (tmp_path / "run").iterdir():
        assert KEY not in file.read_text()


def test_what_was_not_available_is_played_again(
    evaluate: Eval, plans: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ("--model", "m", "--limit", "4", "--jobs", "2")

    def first_only(request: Request) -> Any:
        asked = [m["content"] for m in request.body["messages"] if m["role"] == "user"]
        return playing(plans)(request) if asked[0] == chosen[0] else fails(500)

    chosen: list[str] = []
    with Server(by=in_turn([fails(503)], lambda request: says("Hm."))) as server:
        assert evaluate("--endpoint", server.url, *model, "-o", str(tmp_path / "look")) == 0
        chosen += [request.body["messages"][-1]["content"] for request in server.requests]
        url = server.url
        server.by = first_only
        assert evaluate("--endpoint", url, *model, "--retries", "0") == 1
        assert "not scored: 3 episodes: status 500" in capsys.readouterr().err
        assert len(lines(tmp_path)) == 4
        server.by = playing(plans)
        # How the model is reached may change; what it is may not.
        assert evaluate("--endpoint", url, *model, "--timeout", "60", "--rate", "1000/second") == 0
        assert evaluate("--endpoint", url, *model, "--temperature", "1") == 2
    assert "`policy.temperature` null, not 1.0" in capsys.readouterr().err
    assert {line["not_scored"] for line in lines(tmp_path)} == {None}


def test_a_run_over_http_that_is_killed_goes_on(
    build: Path, plans: dict[str, Any], tmp_path: Path
) -> None:
    """Amid delays, 429s, broken connections and malformed calls, nothing is lost or done twice."""
    good = playing(plans)
    troubles = [fails(429, retry_after="0"), breaks_off, fails(503), hangs_up]
    jobs, samples = 2, 6
    run = tmp_path / "killed"
    lines = run / "episodes.jsonl"

    def answer(request: Request) -> Answer:
        time.sleep(0.005)
        number = len(server.requests)
        if number % 5 == 0:
            return troubles[number // 5 % len(troubles)]
        if number % 7 == 0:
            return calls(("no_such_tool", "{not json"))
        return good(request)

    with Server(by=answer) as server:
        command = [sys.executable, "-m", "toolc", "eval", str(build / "allotment"), "-o", str(run)]
        command += ["--unaudited", "--endpoint", server.url, "--model", "m"]
        command += ["--samples", str(samples), "--jobs", str(jobs)]
        path = os.pathsep.join([str(ROOT), str(ROOT / "runtime")])
        environment = {**os.environ, "PYTHONPATH": path, "NO_PROXY": "*"}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        while not lines.exists() or lines.read_bytes().count(b"\n") < 5:
            assert process.poll() is None
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        whole = lines.read_bytes().rpartition(b"\n")[0].splitlines()
        before = len(server.requests)
        ended = subprocess.run(command, env=environment, timeout=120, capture_output=True)
        assert ended.returncode == 0
        asked = len(server.requests) - before
    found = lines.read_bytes().splitlines()
    assert found[: len(whole)] == whole, "what was played stands"
    played = [json.loads(line) for line in found]
    tasks = {line["task"] for line in played}
    wanted = {f"allotment/{task}#{sample}" for task in tasks for sample in range(samples)}
    assert sorted(line["id"] for line in played) == sorted(wanted)
    assert {line["not_scored"] for line in played} == {None}
    later = sum(line["figures"]["turns"] for line in played[len(whole) :])
    # Every fifth request has no answer; what was played is not asked for again.
    assert later <= asked <= 1.25 * (later + 2)
    assert any(line["figures"]["invalid_calls"] for line in played)


def test_a_server_that_refuses_ends_the_run_at_once(
    evaluate: Eval, plans: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = json.dumps({"error": {"message": f"{KEY} is no key"}}).encode()
    with Server(fails(401, bad)) as server:
        assert evaluate("--endpoint", server.url, "--model", "m", "--jobs", "1") == 2
        assert len(server.requests) <= 2
    said = capsys.readouterr().err
    assert "status 401 (the key is missing or wrong): … is no key" in said and KEY not in said
    # Nothing was played, so that the folder is free for another try.
    with Server(by=playing(plans)) as server:
        assert evaluate("--endpoint", server.url, "--model", "another") == 0
    assert lines(tmp_path)


def test_a_server_that_never_answers_is_not_a_zero(
    evaluate: Eval, capsys: pytest.CaptureFixture[str]
) -> None:
    script = in_turn([says("Hm.")], lambda request: stays_silent)
    with Server(by=script) as server:
        options = ("--limit", "2", "--jobs", "1", "--timeout", "0.2", "--retries", "1")
        assert evaluate("--endpoint", server.url, "--model", "m", *options) == 1
    assert "no answer after 2 tries: no reply within 0.2 s" in capsys.readouterr().err


def test_a_model_in_this_process(
    evaluate: Eval,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trl = pytest.importorskip("trl")
    from tests.eval.tiny import saved

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    template = Path(trl.__file__).parent / "chat_templates" / "qwen3.jinja"
    folder = saved(tmp_path / "model", template.read_text(encoding="utf-8"))
    options = ("--limit", "2", "--max-tokens", "8", "--format", "json")
    assert evaluate("--model-path", str(folder), *options) == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 2
    assert evaluate("--model-path", str(tmp_path / "none"), "--fresh", *options) == 2
    assert "cannot load the model" in capsys.readouterr().err


def test_options_of_models_are_documented() -> None:
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for option in (
        "--endpoint",
        "--key-env",
        "--rate",
        "--chat-format",
        "--model-path",
        "--template",
    ):
        assert f"`{option}" in page
