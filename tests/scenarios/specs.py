"""Compiling spec text in memory."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from toolc.analysis.check import check
from toolc.build import Built, build
from toolc.syntax.parser import parse
from toolc_runtime import Environment, load


def compile_text(text: str) -> Built:
    """Builds a spec that needs no data file; a spec that does not check is a failed test."""
    path = "spec.toolc"
    parsed = parse(text, path)
    assert parsed.module is not None and not parsed.diagnostics, parsed.diagnostics
    checked = check({path: parsed.module})
    assert checked.environment is not None, checked.diagnostics
    return build(checked.environment, {}, {path: text})


def tasks_of(built: Built) -> dict[str, dict[str, Any]]:
    """The tasks by id; a spec with an error is a failed test."""
    assert not [found for found in built.diagnostics if found.severity == "error"], (
        built.diagnostics
    )
    lines = built.files["scenarios.jsonl"].decode().splitlines()
    return {line["id"]: line for line in map(json.loads, lines)}


def load_built(built: Built, folder: Path, name: str) -> Environment:
    """The build as a trainer would load it."""
    place = folder / "build" / name
    place.mkdir(parents=True)
    for file, content in built.files.items():
        (place / file).write_bytes(content)
    hashes = {file: sha256(content).hexdigest() for file, content in built.files.items()}
    entry = {**built.entry, "artifacts": hashes, "counts": built.summary}
    manifest = {"language": 1, "compiler": "test", "environments": {name: entry}}
    (place.parent / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return load(place)
