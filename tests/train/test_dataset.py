"""Data sets: what rows hold, that they can be played, and what lies on the disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Toolc
from toolc.train.admitted import Admitted
from toolc.train.collected import rows_of
from toolc.train.dataset import Options, make, write_folder
from toolc.train.reference import demonstrate
from toolc.train.rows import offered, rl_rows, sft_rows, source, whole_tasks
from toolc_runtime.environment import Environment
from toolc_runtime.trl import emitted, offering, rewards


def as_trl_has_it(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What the trainer makes of a turn's messages: arguments parsed, no ids."""
    completion: list[dict[str, Any]] = []
    for message in messages:
        made = {name: message[name] for name in ("role", "content", "name") if name in message}
        if "tool_calls" in message:
            made["tool_calls"] = [
                {
                    "type": "function",
                    "function": {
                        "name": call["function"]["name"],
                        "arguments": json.loads(call["function"]["arguments"]),
                    },
                }
                for call in message["tool_calls"]
            ]
        completion.append(made)
    return completion


def test_every_row_is_worth_one_when_its_turn_is_played_as_planned(town: Environment) -> None:
    made = source(town)
    played = 0
    for task in town.tasks.values():
        done = demonstrate(town, task, names=made.names.__getitem__)
        for turn, row in enumerate(rl_rows(made, task)):
            instance = offering(emitted(town), offered(town, task))()
            assert instance.reset(**row) is None
            completion = as_trl_has_it(done.turns[turn].messages)
            for message in completion:
                for call in message.get("tool_calls", ()):
                    getattr(instance, call["function"]["name"])(**call["function"]["arguments"])
            assert rewards([completion], [instance]) == [1.0]
            played += 1
    assert played == 49


def test_a_later_turn_stands_after_the_earlier_ones(town: Environment) -> None:
    first, second = rl_rows(source(town), town.tasks["talk:Birch"])
    assert [message["role"] for message in first["prompt"]] == ["user"]
    assert [message["role"] for message in second["prompt"]] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]
    assert json.loads(second["prefix"])[0] == ["call", "copies_of", {"title": "Birch"}, False]
    assert json.loads(first["rest"])[-1] == ["reply", "Done."]
    assert json.loads(second["rest"]) == []


def test_a_whole_task_is_a_row_with_nothing_replayed(town: Environment) -> None:
    of = source(town)
    rows = [row for id in ("talk:Amber", "shelf:Amber") for row in rl_rows(of, town.tasks[id])]
    whole = whole_tasks(rows)
    assert [row["id"] for row in whole] == ["town/talk:Amber", "town/shelf:Amber"]
    assert [(row["prefix"], row["rest"]) for row in whole] == [("[]", "[]")] * 2
    assert whole[0]["prompt"] == rows[0]["prompt"]
    assert json.loads(rows[0]["rest"])


def test_tools_have_names_that_trl_takes(town: Environment) -> None:
    made = source(town)
    row = next(sft_rows(made, town.tasks["one_more:Cedar"], 1, 0))
    names = [schema["function"]["name"] for schema in json.loads(row["tools"])]
    assert names == ["shelf_of", "copies_of", "reset_"]
    called = [call["function"] for m in row["messages"] for call in m.get("tool_calls", ())]
    assert [call["name"] for call in called] == ["copies_of", "reset_"]
    assert json.loads(called[1]["arguments"]) == {"title": "Cedar", "copies": 3}


def test_a_set_of_tools_has_one_key(town: Environment) -> None:
    made = source(town)
    assert made.sets == {
        ("shelf_of", "copies_of"): "town/0",
        ("shelf_of", "copies_of", "reset"): "town/1",
    }
    assert offered(town, town.tasks["rain"]) == ("shelf_of", "copies_of", "reset")


def test_independent_steps_come_in_different_orders(town: Environment) -> None:
    rows = [list(sft_rows(source(town), town.tasks["both:Ember"], 9, seed)) for seed in (0, 0, 1)]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 2
    first = [row["messages"][1]["tool_calls"][0]["function"]["name"] for row in rows[0]]
    assert first == ["shelf_of", "copies_of"]
    only = sft_rows(source(town), town.tasks["one_more:Ember"], 9, 0)
    assert len(list(only)) == 1


def test_nothing_of_a_test_task_is_trained_on(town: Environment) -> None:
    dataset = make({"town": Admitted("", town, tuple(town.tasks))}, Options())
    tasks = {
        name: {row["task"] for row in [*dataset.rl[name], *dataset.sft[name]]}
        for name in dataset.rl
    }
    assert not tasks["train"] & tasks["test"]
    assert not tasks["train"] & tasks["validation"]
    assert {row["unseen"] for row in dataset.rl["test"]} == {"tasks", "families"}


@pytest.mark.slow
def test_the_folder_is_what_datasets_loads(toolc: Toolc, town_build: Path, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    ended = toolc("dataset", str(town_build), "-o", "data", "--format", "json")
    assert ended.returncode == 0, ended.stderr
    about = json.loads(ended.stdout)
    loaded = datasets.load_dataset(str(tmp_path / "data"), "rl", cache_dir=str(tmp_path / "cache"))
    assert {name: len(rows) for name, rows in loaded.items()} == {
        name: found["rows"] for name, found in about["splits"]["rl"].items()
    }
    lines = (tmp_path / "data" / "sft" / "train.jsonl").read_text(encoding="utf-8").splitlines()
    sft = datasets.load_dataset(str(tmp_path / "data"), "sft", cache_dir=str(tmp_path / "cache"))
    assert sft["train"]["id"] == [json.loads(line)["id"] for line in lines]
    called = [m["tool_calls"] for m in sft["train"][0]["messages"] if m["tool_calls"]]
    assert all(isinstance(call[0]["function"]["arguments"], str) for call in called)
    again = toolc("dataset", str(town_build), "-o", "data", "--format", "json")
    assert json.loads(again.stdout) == about


def test_a_folder_is_replaced_whole_and_nothing_else_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "data"

    def write(names: Sequence[str], stop: bool = False) -> None:
        def files() -> Iterator[tuple[str, bytes]]:
            for name in names:
                yield name, name.encode()
            if stop:
                raise KeyboardInterrupt

        write_folder(files(), {}, "card.json", str(folder))

    def found() -> dict[str, str]:
        every = (each for each in folder.rglob("*") if each.is_file())
        return {str(each.relative_to(folder)): each.read_text("utf-8") for each in every}

    with pytest.raises(KeyboardInterrupt):
        write(["rl/train"], stop=True)
    assert list(tmp_path.iterdir()) == []
    write(["rl/train", "rl/validation"])
    (folder / "rl" / "notes.txt").write_text("mine", "utf-8")
    before = found()
    with pytest.raises(KeyboardInterrupt):
        write(["rl/train", "other"], stop=True)
    assert found() == before
    assert [each.name for each in tmp_path.iterdir()] == ["data"]
    write(["rl/train"])
    assert found().keys() == {"rl/train", "rl/notes.txt", "card.json"}
    assert set(json.loads(found()["card.json"])["files"]) == {"rl/train"}


def test_what_was_not_audited_is_refused(toolc: Toolc, tmp_path: Path) -> None:
    spec = Path(__file__).parent / "town.toolc"
    assert toolc("compile", str(spec), "-q").returncode == 0
    ended = toolc("dataset", "build", "-o", "data")
    assert ended.returncode == 2
    assert "run `toolc audit " in ended.stderr
    assert not (tmp_path / "data").exists()


def test_other_folders_are_left_alone(toolc: Toolc, town_build: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.txt").write_text("mine", encoding="utf-8")
    ended = toolc("dataset", str(town_build), "-o", "data")
    assert ended.returncode == 2
    assert "holds something else" in ended.stderr
    assert [each.name for each in (tmp_path / "data").iterdir()] == ["thesis.txt"]


def test_messages_of_trajectories_stand_after_what_was_before(town: Environment) -> None:
    of = source(town)
    task = town.tasks["one_more:Cedar"]
    reference = next(sft_rows(of, task, 1, 0))["messages"]
    line = {"id": "x", "environment": "town", "task": task.id, "messages": reference}
    lines = [json.dumps(line), "{", '{"environment": "town"}', json.dumps({**line, "task": "rain"})]
    found = rows_of(lines, {"town": of}, [("town", task.id)])
    assert (found.taken, found.elsewhere, found.unusable) == (1, 1, 2)
    rows = found.rows
    assert [row["id"] for row in rows] == ["x@0", "x@1", "x@2"]
    assert [len(row["prompt"]) for row in rows] == [1, 3, 5]
    assert json.loads(rows[2]["prefix"]) == [
        ["call", "copies_of", {"title": "Cedar"}, False],
        ["call", "reset", {"title": "Cedar", "copies": 3}, False],
    ]
    instance = offering(emitted(town), offered(town, task))()
    instance.reset(**rows[2])
    assert [call.status for call in instance._episode.trace] == ["ok", "ok"]
    named = rows[2]["prompt"][3]["tool_calls"][0]["function"]["name"]
    assert named == "reset_"
