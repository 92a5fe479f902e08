"""The ports of recorded tool suites, against what was recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

PORTS = ("posting", "retail", "ticket", "trading", "vehicle")

UNTYPED = {"preloaded_comments", "stray_order_key", "ticket_priority_string", "ticket_without_id"}
"""The irregularities of starting states that the types of the ports refuse."""


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """The ports, compiled."""
    folder = tmp_path_factory.mktemp("ports") / "build"
    command = [sys.executable, "-m", "toolc", "compile", "specs/suites", "-o", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("suite", PORTS)
def test_every_recorded_call_and_change_matches_or_is_set_apart_for_a_reason(
    suite: str, build: Path, suites: Path
) -> None:
    command = [sys.executable, "-m", "toolc", "replay", str(build / suite)]
    command += [str(suites / suite / "traces.jsonl"), "--data", str(suites / suite)]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True)
    report = json.loads(done.stdout)
    calls_apart, changes_apart = apart(suites / suite)
    assert report["mismatches"] == []
    assert report["set_apart"] == calls_apart
    assert report["set_apart_changes"] == changes_apart
    assert report["matching_calls"] + calls_apart == report["calls"] > 2_000
    assert report["matching_episodes"] == report["matching_changes"]
    assert report["matching_changes"] + changes_apart == report["episodes"] > 380
    assert done.returncode == 0


def apart(suite: Path) -> tuple[int, int]:
    """How many calls and changes cannot be compared: those of episodes that start from what the
    types refuse, calls that break the published schema, and what follows one that succeeded."""
    tools = json.loads((suite / "tools.json").read_text(encoding="utf-8"))
    schemas = {
        tool["function"]["name"]: Draft202012Validator(tool["function"]["parameters"])
        for tool in tools
    }
    calls, changes = 0, 0
    for line in (suite / "traces.jsonl").read_text(encoding="utf-8").splitlines():
        episode = json.loads(line)
        if UNTYPED & set(episode.get("quirks", ())):
            calls, changes = calls + len(episode["calls"]), changes + 1
            continue
        for number, call in enumerate(episode["calls"]):
            if not schemas[call["name"]].is_valid(call["arguments"]):
                calls += 1 if call["error"] else len(episode["calls"]) - number
                if not call["error"]:
                    changes += 1
                    break
    return calls, changes


@pytest.mark.parametrize("suite", PORTS)
def test_emitted_schemas_are_the_published_ones(suite: str, build: Path, suites: Path) -> None:
    published = {
        tool["function"]["name"]: tool["function"]
        for tool in json.loads((suites / suite / "tools.json").read_text(encoding="utf-8"))
    }
    emitted = {
        tool["function"]["name"]: tool["function"]
        for tool in json.loads((build / suite / "schemas.json").read_text(encoding="utf-8"))
    }
    assert set(emitted) == set(published)
    for name, function in published.items():
        assert emitted[name]["description"] == function["description"]
        ours, theirs = emitted[name]["parameters"], function["parameters"]
        assert list(ours["properties"]) == list(theirs["properties"])
        assert set(ours.get("required", ())) == set(theirs.get("required", ()))
        for parameter, schema in theirs["properties"].items():
            assert meaning(ours["properties"][parameter]) == meaning(schema), (name, parameter)


def meaning(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without the keys that restrict nothing a published one says."""
    kept = {key: value for key, value in schema.items() if key != "additionalProperties"}
    if "properties" in kept:
        kept["properties"] = {name: meaning(item) for name, item in kept["properties"].items()}
    if isinstance(kept.get("items"), dict):
        kept["items"] = meaning(kept["items"])
    return kept
