"""The environments that the runtime figures are measured on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from toolc_runtime import Environment, load
from toolc_runtime.task import Task
from toolc_runtime.values import plain
from toolc_runtime.verify import (
    Verdict,
    answer,
    called,
    check,
    constraint,
    encode_changes,
    encode_writes,
    match,
    never,
    order,
    solve_f1,
    state,
    steps,
    unchanged,
)

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("TOOLC_SHARED", ROOT.parent / "shared"))
Calls = tuple[tuple[str, str], ...]
"""The calls of an episode, as tool and JSON text."""


@cache
def recorded_state() -> dict[str, Any]:
    """The recorded database of retail, as JSON values."""
    text = (SHARED / "suites/retail/state.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@cache
def retail() -> Environment:
    """The retail port over the recorded database."""
    return load(ROOT / "build/retail", recorded_state())


@cache
def retail_episodes() -> tuple[Calls, ...]:
    """The recorded reference episodes."""
    found = []
    with (SHARED / "suites/retail/traces.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            if record["kind"] == "ground_truth":
                calls = [(call["name"], json.dumps(call["arguments"])) for call in record["calls"]]
                found.append(tuple(calls))
    return tuple(found)


def reference_task(environment: Environment, number: int, calls: Calls) -> Task:
    """A task whose plan is a recorded episode: each call a step, the final state a goal."""
    episode = environment.episode()
    for name, arguments in calls:
        episode.call(name, arguments)
    made = []
    for call in episode.trace:
        step: dict[str, Any] = {"tool": call.tool, "arguments": plain(call.arguments)}
        step["result" if call.status == "ok" else "failure"] = plain(call.result)
        step["writes"] = encode_writes(call.writes)
        made.append(step)
    record: Mapping[str, Any] = {
        "id": f"recorded:{number}",
        "scenario": "recorded",
        "bindings": {},
        "kind": "multi_hop",
        "turns": [{"user": "", "steps": made, "answer": 2024, "answer_type": "int"}],
        "state": encode_changes(episode.changes()),
        "fresh": [],
    }
    return Task(record)


def verifier(episode: Any, task: Task) -> Verdict:
    """Every step, and the final state."""
    run = match(episode, task)
    return solve_f1(run, [*steps(run), state(run)], [])


def full_verifier(episode: Any, task: Task) -> Verdict:
    """Every kind of check."""
    run = match(episode, task)
    tool = run.plan.steps[0].tool
    goals = [
        *steps(run),
        state(run),
        check("stocked", lambda: len(episode.state.products) > 0),
        called(run, tool),
        answer(run),
    ]
    guards = [
        never(run, tool, {"order_id": "#W0"}),
        unchanged(run, ["products"]),
        order(run),
        constraint(
            run,
            "calls <= 40 and words <= 20",
            lambda seen: seen.calls <= 40 and seen.words <= 20,
        ),
    ]
    return solve_f1(run, goals, guards)
