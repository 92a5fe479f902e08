"""The worked verdicts of docs/semantics.md: read from the document, compiled, played.

`python -m tests.verify.worked` (with `.:runtime` on the path) writes what comes out into the
document; the tests compare.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import toolc_runtime
from toolc_runtime.verify import Check, Verdict

DOCUMENT = Path(__file__).parents[2] / "docs" / "semantics.md"
_BLOCK = re.compile(r"^```(toolc environment|verdict) (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_RESULT = re.compile(r"\$([0-9]+)\.([a-z_]+)")


class Worked(NamedTuple):
    """One block: a scenario of an environment, what an episode did, what it earned."""

    environment: str
    spec: str
    moves: tuple[str, ...]
    outcome: tuple[str, ...]
    place: tuple[int, int]
    """Where the outcome stands in the document."""

    @property
    def scenario(self) -> str:
        hit = re.search(r"scenario (\w+)", self.spec)
        assert hit is not None, self.spec
        return hit[1]


def environments(text: str) -> dict[str, str]:
    """The specs of the document by name."""
    return {hit[2]: hit[3] for hit in _BLOCK.finditer(text) if hit[1] == "toolc environment"}


def worked(text: str) -> list[Worked]:
    """The worked verdicts of the document, in order."""
    found = []
    for hit in _BLOCK.finditer(text):
        if hit[1] != "verdict":
            continue
        spec, moves, outcome = hit[3].split("---\n")
        place = (hit.end(3) - len(outcome), hit.end(3))
        parts = tuple(moves.splitlines()), tuple(outcome.splitlines())
        found.append(Worked(hit[2], spec, *parts, place))
    return found


def compiled(text: str) -> dict[str, toolc_runtime.Environment]:
    """The environments of the document, each with the scenarios of its verdicts."""
    from toolc.cli import main

    with tempfile.TemporaryDirectory() as folder:
        specs = []
        for name, spec in environments(text).items():
            scenarios = [each.spec for each in worked(text) if each.environment == name]
            path = Path(folder) / f"{name}.toolc"
            path.write_text("\n".join([spec, *scenarios]), encoding="utf-8")
            specs.append(str(path))
        build = Path(folder) / "build"
        status = main(["compile", *specs, "-o", str(build), "--quiet", "--jobs", "1"])
        assert status == 0, "the specs of docs/semantics.md do not compile"
        loaded = {name: toolc_runtime.load(build / name) for name in environments(text)}
        for environment in loaded.values():
            assert environment.tasks and environment.verifiers and environment.base
        return loaded


def play(environment: toolc_runtime.Environment, one: Worked) -> Verdict:
    """Plays the moves; `$2.loan_id` in arguments and texts stands for that field of the result of
    call 2."""
    task, seed = one.scenario, None
    moves = list(one.moves)
    while moves and moves[0].split(" ", 1)[0] in ("task", "seed"):
        word, value = moves.pop(0).split(" ", 1)
        task, seed = (value, seed) if word == "task" else (task, int(value))
    episode = environment.episode(task, seed=seed)

    def filled(text: str) -> str:
        return _RESULT.sub(lambda hit: str(episode.trace[int(hit[1]) - 1].result[hit[2]]), text)

    for move in moves:
        word, rest = move.split(" ", 1)
        if word in ("call", "and"):
            name, arguments = rest.split(" ", 1)
            episode.call(name, filled(arguments), parallel=word == "and")
        else:
            {"reply": episode.reply, "finish": episode.finish}[word](filled(json.loads(rest)))
    return episode.finish()


def lines(verdict: Verdict) -> list[str]:
    """A verdict as the document shows it."""
    shown = [*map(_line, verdict.checks), f"reward {verdict.reward:.4g}"]
    return shown if verdict.scored else [*shown, "not scored"]


def _line(check: Check) -> str:
    reason = [] if check.value == 1.0 else [check.reason]
    return " | ".join([f"{check.value:.4g}", check.kind, check.name, *reason])


def outcomes(text: str) -> Iterator[tuple[Worked, list[str]]]:
    """Every worked verdict with what comes out of it."""
    loaded: Mapping[str, Any] = compiled(text)
    for one in worked(text):
        yield one, lines(play(loaded[one.environment], one))


def update() -> None:
    """Writes the outcomes into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    for one, found in reversed(list(outcomes(text))):
        start, end = one.place
        text = text[:start] + "".join(f"{line}\n" for line in found) + text[end:]
    DOCUMENT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    update()
