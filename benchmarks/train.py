"""`python -m benchmarks.train`: what reinforcement adds to supervised training, seed by seed.

For every size and seed one supervised run, and from its checkpoint one run of each algorithm:

    OUT/SIZE-SEED/sft, OUT/SIZE-SEED/grpo, OUT/SIZE-SEED/reinforce++

Every run is a folder of `toolc train` with its configuration beside it. One that is finished is
not done again, one that was killed goes on: so does the whole when it is started again. Each time a
run has ended the table so far is written, to `benchmarks/train_results.json` and, between its
marks, into the README.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.__main__ import README, processor

RESULTS = Path(__file__).parent / "train_results.json"
MARKS = ("<!-- training -->\n", "<!-- /training -->\n")
ALGORITHMS = ("grpo", "reinforce++")


class Size(NamedTuple):
    """A model's size, and how many seeds of it are run; `tiny` holds keys of its table."""

    seeds: int
    tiny: Mapping[str, int]


SIZES = {
    "tiny": Size(5, {}),
    "x2": Size(2, {"hidden": 192, "heads": 3, "intermediate": 384}),
    "x3": Size(2, {"hidden": 256, "heads": 4, "intermediate": 512}),
}


class Trained(NamedTuple):
    """A run to be done: its folder, and its configuration as TOML."""

    folder: Path
    config: str


class Result(NamedTuple):
    """Held-out Solve-F1 of one size and seed, by algorithm after reinforcement: `sft` and `rl` on
    unseen tasks, sampled; `greedy` of the likeliest replies to them; `away` on an environment that
    training lacks, sampled; each before and after reinforcement.

    `closed` is the part of the gap that supervised training left to 1.0; `kept` the figure as a
    multiple of the supervised one; `environment` the share of a step that environments take.
    """

    size: str
    seed: int
    algorithm: str
    weights: int
    sft: float
    rl: float
    closed: float
    kept: float
    greedy: tuple[float, float]
    away: tuple[float, float]
    seconds: float
    environment: float


def runs(out: Path, build: str, threads: int, size: str, seed: int) -> Iterator[Trained]:
    """The runs of a size and seed, in order."""
    place = out / f"{size}-{seed}"
    tables = [f"{key} = {value}\n" for key, value in SIZES[size].tiny.items()]
    model = "[tiny]\n" + "".join(tables)
    shared = f'build = "{build}"\nseed = {seed}\nthreads = {threads}\n'
    yield Trained(place / "sft", f'output = "{place / "sft"}"\nstages = ["sft"]\n{shared}{model}')
    for algorithm in ALGORITHMS:
        folder = place / algorithm
        learnt = place / "sft" / "sft" / "model"
        head = f'output = "{folder}"\nmodel = "{learnt}"\nstages = ["rl"]\n{shared}'
        yield Trained(folder, f'{head}{model}[rl]\nalgorithm = "{algorithm}"\n')


def done(run: Trained) -> bool:
    """Does a run, unless it is done; whether it ended well."""
    if (run.folder / "summary.json").exists():
        return True
    run.folder.parent.mkdir(parents=True, exist_ok=True)
    config = run.folder.with_suffix(".toml")
    config.write_text(run.config, encoding="utf-8")
    print(f"{run.folder} …", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "toolc", "train", str(config), "--tiny"]
    return subprocess.run(command).returncode == 0


def results(out: Path) -> list[Result]:
    """Of all runs of reinforcement that are finished."""
    return [
        _result(out, size, seed, algorithm)
        for size in SIZES
        for seed in range(SIZES[size].seeds)
        for algorithm in ALGORITHMS
        if (out / f"{size}-{seed}" / algorithm / "summary.json").exists()
    ]


def _result(out: Path, size: str, seed: int, algorithm: str) -> Result:
    folder = out / f"{size}-{seed}" / algorithm
    summary = _read(folder / "summary.json")
    supervised = _read(folder.parent / "sft" / "summary.json")
    figures = {name: (found["init"], found["rl"]) for name, found in summary["solve_f1"].items()}
    before, after = figures["unseen_tasks"]
    return Result(
        size,
        seed,
        algorithm,
        _weights(folder / "rl" / "model" / "model.safetensors"),
        before,
        after,
        (after - before) / (1 - before),
        after / before if before else 0.0,
        figures["unseen_tasks_greedy"],
        figures["unseen_environment"],
        supervised["seconds"] + summary["seconds"],
        _share(folder / "metrics.jsonl"),
    )


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _weights(path: Path) -> int:
    """How many numbers a file of safetensors holds, by its header."""
    with path.open("rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return sum(_product(each["shape"]) for name, each in header.items() if name != "__metadata__")


def _product(shape: Sequence[int]) -> int:
    made = 1
    for number in shape:
        made *= number
    return made


def _share(path: Path) -> float:
    """The environments' part of the time of all steps."""
    lines = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    steps = [line for line in lines if "environment/seconds" in line]
    seconds = sum(line["seconds"] for line in steps)
    return sum(line["environment/seconds"] for line in steps) / seconds if seconds else 0.0


def table(found: Sequence[Result]) -> str:
    """The results as Markdown, with means of each size and algorithm."""
    lines = [
        "| size | weights | algorithm | seed | SFT | RL | gap closed | RL / SFT "
        "| greedy: SFT, RL | unseen environment: SFT, RL | minutes |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for size in SIZES:
        for algorithm in ALGORITHMS:
            mine = [each for each in found if (each.size, each.algorithm) == (size, algorithm)]
            lines += [_line(str(each.seed), [each]) for each in mine]
            if len(mine) > 1:
                lines.append(_line("mean", mine))
    shares = [each.environment for each in found]
    told = f"Environments take {max(shares):.2%} of a step at most." if shares else ""
    return "\n".join([*lines, "", told]) + "\n"


def _line(seed: str, found: Sequence[Result]) -> str:
    first = found[0]
    mean = {
        name: statistics.fmean(getattr(each, name) for each in found)
        for name in ("sft", "rl", "closed", "kept", "seconds")
    }
    return (
        f"| {first.size} | {first.weights / 1e6:.1f} M | {first.algorithm} | {seed} "
        f"| {mean['sft']:.3f} | {mean['rl']:.3f} | {mean['closed']:.0%} | {mean['kept']:.2f} "
        f"| {_both(each.greedy for each in found)} | {_both(each.away for each in found)} "
        f"| {mean['seconds'] / 60:.0f} |"
    )


def _both(pairs: Iterable[tuple[float, float]]) -> str:
    """The means of pairs."""
    return ", ".join(f"{statistics.fmean(each):.3f}" for each in zip(*pairs, strict=True))


def write(found: Sequence[Result]) -> None:
    """Writes the results, and the table where the README has its marks."""
    made = [each._asdict() for each in found]
    RESULTS.write_text(json.dumps(made, indent=2) + "\n", encoding="utf-8")
    readme = README.read_text(encoding="utf-8")
    if MARKS[0] in readme:
        before, rest = readme.split(MARKS[0])
        about = f"Measured on {processor()}, {os.cpu_count()} cores.\n\n"
        made_new = before + MARKS[0] + about + table(found) + MARKS[1] + rest.split(MARKS[1])[1]
        README.write_text(made_new, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.train", description=__doc__)
    parser.add_argument("--build", default="build", help="an audited build of specs/")
    parser.add_argument("--output", type=Path, default=Path("build/bench-train"))
    parser.add_argument("--threads", type=int, default=0, help="0: as many as there are cores")
    parser.add_argument("--jobs", type=int, default=1, help="seeds at once (default: 1)")
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--table", action="store_true", help="show what there is, and do nothing")
    options = parser.parse_args()
    if options.table:
        print(table(results(options.output)))
        return 0
    lock = threading.Lock()

    def seed_of(which: tuple[str, int]) -> bool:
        """Does the runs of a size and seed, one after the other; whether all ended well."""
        for run in runs(options.output, options.build, options.threads, *which):
            if not done(run):
                return False
            with lock:
                write(results(options.output))
        return True

    wanted = [(size, seed) for size in options.sizes for seed in range(SIZES[size].seeds)]
    with ThreadPoolExecutor(options.jobs) as seeds:
        ended = list(seeds.map(seed_of, wanted))
    print(table(results(options.output)))
    return 0 if all(ended) else 1


if __name__ == "__main__":
    sys.exit(main())
