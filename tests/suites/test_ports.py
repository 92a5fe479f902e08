"""The ports of recorded tool suites, against what was recorded."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PORTS = ("retail", "vehicle")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """The ports, compiled."""
    folder = tmp_path_factory.mktemp("ports") / "build"
    command = [sys.executable, "-m", "toolc", "compile", "specs/suites", "-o", str(folder)]
    subprocess.run(command, cwd=root, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("suite", PORTS)
def test_every_recorded_call_and_change_matches(suite: str, build: Path, suites: Path) -> None:
    command = [sys.executable, "-m", "toolc", "replay", str(build / suite)]
    command += [str(suites / suite / "traces.jsonl"), "--data", str(suites / suite)]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert report["mismatches"] == []
    assert report["matching_calls"] + report["set_apart"] == report["calls"] > 2_000
    assert report["matching_episodes"] == report["matching_changes"] == report["episodes"] > 400
    assert done.returncode == 0


def test_what_is_set_apart_breaks_the_published_schema(build: Path, suites: Path) -> None:
    """The 40 cancellations with a reason outside of the published enum, and nothing else."""
    enum = {"no longer needed", "ordered by mistake"}
    lines = (suites / "retail" / "traces.jsonl").read_text(encoding="utf-8").splitlines()
    calls = [call for line in lines for call in json.loads(line)["calls"]]
    outside = [
        call
        for call in calls
        if call["name"] == "cancel_pending_order" and call["arguments"]["reason"] not in enum
    ]
    command = [sys.executable, "-m", "toolc", "replay", str(build / "retail")]
    command += [str(suites / "retail" / "traces.jsonl"), "--data", str(suites / "retail")]
    done = subprocess.run([*command, "--format", "json"], capture_output=True, text=True)
    assert json.loads(done.stdout)["set_apart"] == len(outside)


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
