"""`toolc sample`: trajectories of training tasks, from a server to a step of training."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.eval.server import Answer, Request, Server, calls, says
from toolc.cli import main
from toolc.train.admitted import admitted_in
from toolc.train.collected import CollectedError, collected
from toolc.train.dataset import Options, make
from toolc.train.rows import offered, source
from toolc_runtime.trl import emitted, offering

DESK = Path(__file__).parent / "desk.toolc"
SPLIT = ["--seed", "3", "--tasks", "0.3", "--families", "0"]


class Sampled(NamedTuple):
    build: Path
    run: Path
    url: str
    requests: list[Request]


@pytest.fixture(autouse=True)
def directly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody's proxy is in between, and nobody's key is sent."""
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The build of the desk, audited."""
    folder = tmp_path_factory.mktemp("desk") / "build"
    assert main(["compile", str(DESK), "-o", str(folder), "-q"]) == 0
    assert main(["audit", str(folder)]) == 0
    return folder


def clerk(request: Request) -> Answer:
    """Does what it is asked, but for gloves, which it first looks for."""
    said = request.body["messages"]
    asked = next(each["content"] for each in said if each["role"] == "user")
    kind = re.findall(r"the (\w+)", asked)[0]
    results = [json.loads(each["content"]) for each in said if each["role"] == "tool"]
    wanted: list[Answer] = []
    if "shelf" in asked or kind == "glove":
        wanted.append(calls(("shelf_of", {"kind": kind})))
    if "ticket" in asked:
        wanted.append(calls(("open_ticket", {"kind": kind})))
        opened = [each["id"] for each in results if isinstance(each, dict)]
        wanted.append(calls(("close_ticket", {"id": opened[0] if opened else ""})))
    wanted.append(says(f"Done: {results[-1] if results else ''}"))
    return wanted[len(results)]


@pytest.fixture(scope="module")
def sampled(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sampled]:
    """Two trajectories of every training task."""
    run = tmp_path_factory.mktemp("runs") / "first"
    with pytest.MonkeyPatch.context() as patch, Server(by=clerk) as server:
        patch.setenv("NO_PROXY", "*")
        where = ["--endpoint", server.url, "--model", "m", "-o", str(run), "--samples", "2"]
        assert main(["sample", str(build), *where, *SPLIT]) == 0
        yield Sampled(build, run, server.url, server.requests)


def rows_by_split(build: Path, split: str) -> set[tuple[str, str]]:
    from toolc.train.splits import Shares

    options = Options((), Shares(0, 0.3, 0.1), 1, 3)
    return {(row["of"], row["task"]) for row in make(admitted_in(str(build)), options).rl[split]}


def episodes(run: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (run / "episodes.jsonl").read_text("utf-8").splitlines()]


def taken(build: Path, place: Path, split: str = "train") -> Any:
    environments = admitted_in(str(build))
    sources = {name: source(each.environment) for name, each in environments.items()}
    return collected(str(place), environments, sources, rows_by_split(build, split))


def test_the_tasks_of_the_training_split_are_played_and_no_others(sampled: Sampled) -> None:
    played = [(each["environment"], each["task"]) for each in episodes(sampled.run)]
    assert set(played) == rows_by_split(sampled.build, "train")
    assert rows_by_split(sampled.build, "test")
    assert all(played.count(task) == 2 for task in played)
    assert {request.body["temperature"] for request in sampled.requests} == {1.0}


def test_the_summary_counts_items_and_rewards(sampled: Sampled) -> None:
    found = json.loads((sampled.run / "trajectories.json").read_text("utf-8"))
    lines = episodes(sampled.run)
    said = [sum(each["role"] == "assistant" for each in line["messages"]) for line in lines]
    rewards = [line["verdict"]["reward"] for line in lines]
    assert found["tasks"] * 2 == found["trajectories"] == len(lines)
    assert found["items"]["all"] == sum(said)
    assert (found["items"]["least"], found["items"]["most"]) == (min(said), max(said))
    assert found["reward"]["whole"] == sum(reward == 1 for reward in rewards)
    # Openings are the same in both trajectories of a task; what follows a drawn id is not.
    assert found["items"]["distinct"] < found["items"]["all"]
    assert found["items"]["distinct"] == len(taken(sampled.build, sampled.run).rows)


def test_the_same_command_goes_on_and_another_split_is_refused(
    sampled: Sampled, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = len(sampled.requests)
    command = ["sample", str(sampled.build), "--endpoint", sampled.url, "--model", "m"]
    command += ["-o", str(sampled.run), "--samples", "2"]
    assert main([*command, *SPLIT]) == 0
    assert len(sampled.requests) == asked
    capsys.readouterr()
    assert main([*command, *SPLIT[:2], "--tasks", "0.5", "--families", "0"]) == 2
    assert "environments.desk" in capsys.readouterr().err


def test_an_item_begins_with_the_ids_that_its_trajectory_drew(sampled: Sampled) -> None:
    town = admitted_in(str(sampled.build))["desk"].environment
    closing = [
        row
        for row in taken(sampled.build, sampled.run).rows
        if row["scenario"] == "claim" and "open_ticket" in row["prefix"]
        if "close_ticket" not in row["prefix"]
    ]
    assert len({row["seed"] for row in closing}) > 1
    for row in closing:
        drawn = json.loads(row["prompt"][-1]["content"])["id"]
        task = town.tasks[row["task"]]
        step = offering(emitted(town), offered(town, task))()
        step.reset(**row)
        assert [each["id"] for each in step._episode.state.tickets] == [drawn]
        function = {"name": "close_ticket", "arguments": {"id": drawn}}
        right = [{"role": "assistant", "content": "", "tool_calls": [{"function": function}]}]
        assert step._step("solve_f1", right) == 1.0
        step.reset(**{**row, "seed": None})
        assert step._step("solve_f1", right) == 0.0


def test_only_what_is_scored_and_of_wanted_tasks_is_taken(sampled: Sampled, tmp_path: Path) -> None:
    lines = episodes(sampled.run)
    kept, other = lines[0], next(each for each in lines if each["task"] != lines[0]["task"])
    spoilt: list[Any] = [
        {**kept, "not_scored": "timeout"},
        {**kept, "messages": "none"},
        {**kept, "messages": [{"role": "assistant", "tool_calls": [3]}]},
        {**kept, "task": ["claim"]},
        [],
    ]
    file = tmp_path / "episodes.jsonl"
    text = "\n".join(map(json.dumps, [kept, other, *spoilt])) + "\n" + "[" * 100_000 + "\n"
    file.write_text(text, encoding="utf-8")
    environments = admitted_in(str(sampled.build))
    sources = {name: source(each.environment) for name, each in environments.items()}
    found = collected(str(file), environments, sources, {(kept["environment"], kept["task"])})
    assert (found.taken, found.elsewhere, found.unusable) == (1, 1, 6)
    assert {row["task"] for row in found.rows} == {kept["task"]}


def test_trajectories_that_do_not_fit_are_told(sampled: Sampled, tmp_path: Path) -> None:
    with pytest.raises(CollectedError, match=r"cannot read .*no such file"):
        taken(sampled.build, tmp_path)
    (tmp_path / "episodes.jsonl").write_bytes(b"\xff\n")
    with pytest.raises(CollectedError, match="not UTF-8"):
        taken(sampled.build, tmp_path)
    known = json.loads((sampled.run / "run.json").read_text("utf-8"))
    known["environments"]["desk"]["digest"] = "0"
    (tmp_path / "run.json").write_text(json.dumps(known), encoding="utf-8")
    with pytest.raises(CollectedError, match="another build of `desk`: sample again"):
        taken(sampled.build, tmp_path)
    (tmp_path / "run.json").write_text("[", encoding="utf-8")
    with pytest.raises(CollectedError, match="is not a run's"):
        taken(sampled.build, tmp_path / "episodes.jsonl")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--hold-out", "shop"], "there is no environment `shop` in the build"),
        (["--hold-out", "desk"], "no audited task of the build is left to train on"),
        (["--policy", "best"], "there is no policy `best`"),
    ],
)
def test_what_cannot_be_sampled_is_told(
    build: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
) -> None:
    chosen = options if "--policy" in options else ["--policy", "noop", *options]
    assert main(["sample", str(build), "-o", str(tmp_path / "run"), *chosen]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_what_was_not_audited_is_not_sampled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "build"
    assert main(["compile", str(DESK), "-o", str(folder), "-q"]) == 0
    assert main(["sample", str(folder), "--policy", "noop", "-o", str(tmp_path / "run")]) == 2
    assert "was not audited as it is now" in capsys.readouterr().err


TRAINING = """\
build = "{build}"
output = "{output}"
threads = 1
seed = 3
[data]
families = 0.0
tasks = 0.3
max_tokens = 400
[tiny]
vocabulary = 500
hidden = 32
layers = 1
heads = 2
intermediate = 32
[sft]
steps = 2
batch = 4
[rl]
unit = "message"
trajectories = "{trajectories}"
steps = 2
prompts = 2
group = 2
max_tokens = 16
[evaluation]
max_tokens = 8
"""


@pytest.mark.slow
def test_training_goes_through_the_folder(
    sampled: Sampled,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    pytest.importorskip("trl")
    for name, value in (("HF_HUB_OFFLINE", "1"), ("TOKENIZERS_PARALLELISM", "false")):
        monkeypatch.setenv(name, value)
    config = tmp_path / "run.toml"
    places = {"build": sampled.build, "output": tmp_path / "run", "trajectories": sampled.run}
    config.write_text(TRAINING.format(**places), encoding="utf-8")
    assert main(["train", str(config), "--tiny"]) == 0
    told = capsys.readouterr().err
    rows = taken(sampled.build, sampled.run).rows
    number = len(episodes(sampled.run))
    assert f"rl: {number} trajectories, {len(rows)} messages; not taken: 0 of tasks" in told
    lines = (tmp_path / "run" / "metrics.jsonl").read_text("utf-8").splitlines()
    assert [line["step"] for line in map(json.loads, lines) if "reward" in line] == [1, 2]
