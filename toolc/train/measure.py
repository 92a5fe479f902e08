"""What comes out of a run: held-out figures, on the way and after each stage."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from toolc import __version__
from toolc.output import write_file
from toolc.train import models
from toolc.train.begin import Run
from toolc.train.config import Evaluation
from toolc.train.evaluation import Held, concluded, evaluate, held_out
from toolc.train.generation import Generator, Sampling
from toolc.train.trl_adapter import parse


def kept(run: Run) -> dict[str, Held]:
    """The tasks that are kept from training, by set."""
    names = {name: each.names for name, each in run.sources.items()}
    most = run.config.evaluation.most
    return held_out(run.dataset.rl["test"], run.environments, names, most)


GREEDY = "_greedy"
"""What is added to the name of a set, of the likeliest replies beside samples."""


def _decodings(options: Evaluation) -> list[tuple[str, float, int]]:
    """How tasks are played: what is added to the name of a set, the temperature, and the samples of
    each task."""
    made = [("", options.temperature, options.samples)]
    return [*made, (GREEDY, 0.0, 1)] if options.temperature else made


def measured(
    run: Run, model: Any, tokenizer: Any, held: Mapping[str, Held], stage: str, most: int | None
) -> dict[str, Any]:
    """Summaries of evaluations by set, on the way of at most so many tasks of each environment
    (0: all); at the end of a stage (None) of all, and kept in its folder."""
    options = run.config.evaluation
    policy = {"name": "trained", "model": run.config.model, "stage": stage}
    found = {}
    for name, tasks in held.items():
        for kind, temperature, samples in _decodings(options):
            generator = Generator(
                model,
                tokenizer,
                parse(tokenizer),
                Sampling(options.max_tokens, temperature, options.batch),
                run.shown,
            )
            if most is not None and kind:
                continue
            place = run.place(stage, "evaluation", name + kind) if most is None else None
            wanted = tasks if most is None else tasks.first(most)
            number = sum(map(len, wanted.tasks.values())) * samples
            with run.bar(f"{stage} {name}{kind}", number) as bar:
                found[name + kind] = evaluate(generator, wanted, policy, place, samples, bar.update)
    return found


def evaluated(run: Run, stage: str, held: Mapping[str, Held]) -> bool:
    """Evaluates the model at the end of a stage, unless that was done; whether it had to."""
    kinds = [kind for kind, *_ in _decodings(run.config.evaluation)]
    left = {
        name: tasks
        for name, tasks in held.items()
        if not all(concluded(run.place(stage, "evaluation", name + kind)) for kind in kinds)
    }
    if not left:
        return False
    model, tokenizer = models.load(run.place(stage, "model"), run.config.dtype)
    model = models.at_work(model)
    began = time.monotonic()
    found = measured(run, model, tokenizer, left, stage, None)
    shown = ", ".join(f"{name} {figures['solve_f1']:.3f}" for name, figures in found.items())
    run.say(f"{stage}: Solve-F1 {shown} ({time.monotonic() - began:.0f} s)")
    return True


FIGURES = ("solve_f1", "reward", "success", "calls", "invalid_calls")
"""Of an evaluation during training, the figures that are kept."""


def flat(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Figures by set as figures of a step."""
    return {f"eval/{name}/{each}": found[name][each] for name in found for each in FIGURES}


def summarised(
    run: Run, stages: Sequence[str], held: Mapping[str, Held], seconds: float
) -> dict[str, Any]:
    """Writes the run's `summary.json`, and returns what it holds."""
    found: dict[str, dict[str, Any]] = {}
    kinds = [kind for kind, *_ in _decodings(run.config.evaluation)]
    for name in (name + kind for name in held for kind in kinds):
        found[name] = {}
        for stage in stages:
            place = run.place(stage, "evaluation", name, "summary.json")
            with open(place, encoding="utf-8") as file:
                found[name][stage] = json.load(file)
    summary = {
        "format": 1,
        "toolc": __version__,
        "model": run.config.model,
        "seed": run.config.seed,
        "seconds": round(seconds, 1),
        "tasks": {name: found[name][stages[0]]["tasks"] for name in held},
        "solve_f1": _of("solve_f1", found),
        "success": _of("success", found),
    }
    write_file(run.place("summary.json"), (json.dumps(summary, indent=2) + "\n").encode())
    return summary


def _of(figure: str, found: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    return {
        name: {stage: figures[figure] for stage, figures in by_stage.items()}
        for name, by_stage in found.items()
    }
