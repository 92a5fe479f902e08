"""`python -m benchmarks.scaling [LEVEL …]`: scales all of specs/ at each level, proves what comes
out, and writes the table of docs/scaling.md. Exit status 1 where a task does not pass."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from toolc.project import find_specs
from toolc.rewriting.spec import Spec, SpecError, load
from toolc.scaling.figures import Figures, figures
from toolc.scaling.prove import scale_proved
from toolc.scaling.scale import LEVELS, Settings

ROOT = Path(__file__).parent.parent
RESULTS = Path(__file__).parent / "scaling.json"
DOCUMENT = ROOT / "docs" / "scaling.md"
MARKS = ("<!-- figures -->\n", "<!-- /figures -->\n")
SEED = 0


def main(wanted: list[str]) -> int:
    levels = [int(each) for each in wanted] or list(range(1, LEVELS + 1))
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    specs = hand_written(ROOT / "specs")
    wrong = 0
    for level in levels:
        outcome = scale_proved(specs, Settings(level, SEED))
        wrong += len(outcome.problems)
        for problem in outcome.problems:
            print(f"level {level}: {problem.path}: {problem.task}: {problem.reason}")
        done = Counter(
            edit.transformation for each in outcome.scaled.values() for edit in each.done
        )
        taken = [edit for edits in outcome.taken_back.values() for edit in edits]
        results["0"] = {"done": {}, "taken_back": {}, **told(figures(outcome.before.values()))}
        results[str(level)] = {
            "done": dict(sorted(done.items())),
            "taken_back": dict(sorted(Counter(edit.transformation for edit in taken).items())),
            **told(figures(outcome.after.values())),
        }
        ordered = dict(sorted(results.items()))
        RESULTS.write_text(json.dumps(ordered, indent=2) + "\n", encoding="utf-8")
        text = with_table(DOCUMENT.read_text(encoding="utf-8"), ordered)
        DOCUMENT.write_text(text, encoding="utf-8")
        print(f"level {level}: {done.total()} changes, {len(taken)} taken back", flush=True)
    return 1 if wrong else 0


def hand_written(folder: Path) -> list[Spec]:
    """The environments below a folder; files that only others use are none."""
    specs: list[Spec] = []
    for path in find_specs([str(folder)])[0]:
        try:
            specs.append(load(path))
        except SpecError as error:
            if error.diagnostics:
                raise
    return specs


def told(found: Figures) -> dict[str, Any]:
    return {"figures": found._asdict()}


def with_table(document: str, results: dict[str, dict[str, Any]]) -> str:
    """The document with the table of figures between its marks."""
    before, rest = document.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    names = Figures._fields
    lines = [
        f"| level | changes | taken back | {' | '.join(names)} |",
        "| --- " * (len(names) + 3) + "|",
    ]
    for level, each in results.items():
        values = [f"{each['figures'][name]:g}" for name in names]
        done, taken = (sum(each[part].values()) for part in ("done", "taken_back"))
        lines.append(f"| {level} | {done} | {taken} | {' | '.join(values)} |")
    return before + MARKS[0] + "\n".join(lines) + "\n" + MARKS[1] + after


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
