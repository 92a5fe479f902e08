"""The policies that need no model: the plan, nothing, chance, and what was recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from toolc.eval.policies import POLICIES
from toolc.eval.recording import Recording, RecordingError, recording
from toolc.eval.rollout import Line, Work, rollout
from toolc.eval.store import line_of
from toolc_runtime import Environment, load

SEEDS = (0, 7, 2024)


@pytest.fixture(scope="module", params=["allotment", "geography"])
def environment(request: pytest.FixtureRequest, build: Path) -> Environment:
    return load(build / request.param)


def lines(
    environment: Environment, settings: Mapping[str, Any], seeds: tuple[int, ...] = SEEDS
) -> list[Line]:
    chosen = POLICIES[settings["name"]].make(settings, {environment.name: environment})
    work = [
        Work(environment.name, task, sample, seed)
        for task in environment.tasks
        for sample, seed in enumerate(seeds)
    ]
    return [rollout(environment, each, chosen(each)) for each in work]


def test_the_reference_gets_everything(environment: Environment) -> None:
    for line in lines(environment, {"name": "reference"}):
        assert line["verdict"]["reward"] == pytest.approx(1, abs=1e-9), line["id"]
        assert line["figures"]["success"] and line["not_scored"] is None
        assert line["figures"]["solve_rate"] == pytest.approx(1)
        assert line["ftrl"]["solve_rate"] == 1, line["id"]
        assert not line["figures"]["truncated"]


def test_doing_nothing_gets_nothing_but_where_nothing_is_right(environment: Environment) -> None:
    found = lines(environment, {"name": "noop"}, (1,))
    idle = {line["id"] for line in found if line["kind"] == "none"}
    assert {line["id"] for line in found if line["figures"]["success"]} == idle != set()
    for line in found:
        own = [line["figures"][name] for name in ("solve_precision", "solve_rate", "solve_f1")]
        assert own == [float(line["id"] in idle)] * 3


def test_chance_is_drawn_from_the_seed(environment: Environment) -> None:
    first, second = (
        [line_of({**line, "seconds": 0}) for line in lines(environment, {"name": "random"})]
        for _ in range(2)
    )
    assert first == second
    assert len({line.split(b'"messages"')[1] for line in first}) > len(environment.tasks)


def test_chance_calls_what_is_offered_with_values_that_are_there(environment: Environment) -> None:
    made = [call for line in lines(environment, {"name": "random"}) for call in line["calls"]]
    assert {call["tool"] for call in made} == set(environment.tools)
    assert {"ok", "failed"} <= {call["status"] for call in made}


def test_a_replay_gets_the_same_verdicts(environment: Environment, tmp_path: Path) -> None:
    for name in ("reference", "random"):
        made = lines(environment, {"name": name})
        file = tmp_path / f"{name}.jsonl"
        file.write_bytes(b"".join(map(line_of, made)))
        again = lines(environment, {"name": "replay", "file": str(file)})
        for line, other in zip(made, again, strict=True):
            for same in ("verdict", "figures", "ftrl", "changes", "calls", "messages"):
                assert other[same] == line[same], line["id"]


def test_what_is_not_recorded_is_not_scored(allotment: Environment, tmp_path: Path) -> None:
    messages = [
        {"role": "user", "content": "?"},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "dig"}}]},
        {"role": "assistant", "tool_calls": [{"oops": 1}, 3]},
    ]
    recorded = {"environment": "allotment", "task": "size_of:Beech", "messages": messages}
    file = tmp_path / "recorded.jsonl"
    file.write_text(json.dumps(recorded) + "\n\n", encoding="utf-8")
    found = lines(allotment, {"name": "replay", "file": str(file)}, (1,))
    assert Recording(str(file)).seeds == {}
    reasons = {line["id"]: line["not_scored"] for line in found}
    assert reasons.pop("allotment/size_of:Beech#0") == "the recording has no further message"
    assert set(reasons.values()) == {"the recording has no such episode"}
    line = next(line for line in found if line["calls"])
    assert [call["result"]["error"]["code"] for call in line["calls"]] == [
        *("unknown_tool", "malformed_json", "malformed_json")
    ]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"task": "t"}',
        '{"environment": "e", "task": "t"}',
        '{"environment": "e", "task": "t", "sample": "0", "messages": []}',
        "[" * 100_000,
    ],
)
def test_a_file_without_episodes_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "recorded.jsonl"
    good = '{"environment": "e", "task": "t", "messages": [], "seed": 4}\n'
    file.write_text(good + text + "\n", encoding="utf-8")
    with pytest.raises(RecordingError, match=f"at byte {len(good)} "):
        recording(str(file))
    with pytest.raises(RecordingError, match="no such file"):
        recording(str(tmp_path / "nothing.jsonl"))
