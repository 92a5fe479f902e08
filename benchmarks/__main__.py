"""`python -m benchmarks [FIGURE …]`: measure, print a table, write benchmarks/results.json."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path

from benchmarks.figures import FIGURES
from benchmarks.measure import Figure

RESULTS = Path(__file__).parent / "results.json"
README = Path(__file__).parent.parent / "README.md"
MARKS = ("<!-- figures -->\n", "<!-- /figures -->\n")


def main(wanted: list[str]) -> int:
    known = {figure.__name__: figure for figure in FIGURES}
    unknown = [name for name in wanted if name not in known]
    if unknown:
        print(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(known)}")
        return 2
    found: dict[str, Figure] = {}
    for name, figure in known.items():
        if not wanted or name in wanted:
            print(f"measuring {name} …", file=sys.stderr, flush=True)
            found |= figure()
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if wanted and RESULTS.exists() else {}
    results |= {name: rounded(figure) for name, figure in found.items()}
    RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    README.write_text(with_table(README.read_text(encoding="utf-8"), results), encoding="utf-8")
    for name, result in results.items():
        ratio = f"ratio {result['ratio']:,}" if result["ratio"] is not None else ""
        measured = f"{result['value']:>12,} {result['unit']:6}"
        print(f"{name:32} {measured} {ratio:16} reach: {result['reach']}")
    return 0


def with_table(readme: str, results: dict[str, dict[str, object]]) -> str:
    """The README with the table of figures between its marks."""
    before, rest = readme.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    lines = [
        f"Measured on {processor()}, {os.cpu_count()} cores shared with others,",
        f"CPython {platform.python_version()}, in CPU time (whole processes: wall time).",
        "`make bench` measures them anew. Each baseline was measured in the same run;",
        "`benchmarks/figures.py` says what it is. The environment is warm: rows that were returned",
        "before have their JSON text remembered, which `call_overhead_small` does without.",
        "",
        "| figure | value | baseline | ratio | reach |",
        "| --- | --- | --- | --- | --- |",
    ]
    for name, result in results.items():
        value = f"{result['value']:,} {result['unit']}"
        baseline = f"{result['baseline']:,} {result['unit']}" if result["baseline"] else ""
        ratio = f"{result['ratio']:,}" if result["ratio"] is not None else ""
        lines.append(f"| `{name}` | {value} | {baseline} | {ratio} | {result['reach']} |")
    return before + MARKS[0] + "\n".join(lines) + "\n" + MARKS[1] + after


def processor() -> str:
    """The processor's name, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def rounded(figure: Figure) -> dict[str, object]:
    """Three significant digits are more than the machine is good for."""
    return {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in figure._asdict().items()
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
