"""A training run: a folder in which every finished piece stays, so that it can be gone on with.

    RUN/run.json           the configuration, and the digests of what it trains on
    RUN/init/, sft/, rl/   `model/` at the end of the stage, `checkpoint-N/` on the way,
                           `evaluation/SET/` as `toolc eval` has it
    RUN/metrics.jsonl, tensorboard/, plot.svg, seconds.json
    RUN/summary.json       held-out figures after every stage

A run that is started again in the same folder takes up the stage that is not finished from its
last whole checkpoint. What ended a stage is never done twice.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from toolc.eval import store
from toolc.eval.store import held
from toolc.train import checkpoints, metrics, models, processes
from toolc.train.admitted import Admitted
from toolc.train.begin import Run, RunError, Say, claim, fitting, planned
from toolc.train.config import Config
from toolc.train.failures import of_the_disk, of_the_memory
from toolc.train.measure import evaluated, kept, summarised
from toolc.train.stages import OPTIONS, STAGES, init, reached
from toolc.train.timer import Timer
from toolc.train.trl_adapter import checked, untested


def train(
    config: Config, admitted: Mapping[str, Admitted], say: Say, progress: bool = False
) -> dict[str, Any]:
    """Runs the stages that are not finished on environments' admitted tasks, by name, and returns
    the summary. Raises `RunError` and `Unsupported`.

    Of several processes (see `processes`) all call it, and all but the first get nothing."""
    models.prepare(config.threads, progress)
    processes.wait()  # before anything else sets up what they speak through
    first = processes.is_first()
    run = planned(config, admitted, say if first else _silent, progress and first)
    for stage in config.stages:
        checked(stage, OPTIONS[stage](run))
    if version := untested():
        run.say(f"TRL {version} was not tested with toolc")
    try:
        with held(config.output) if first else nullcontext():
            if first:
                claim(run)
            return _go_on(run)
    except store.RunError as error:
        raise RunError(str(error)) from None
    except Exception as error:
        if of_the_memory(error):
            raise RunError(
                "the accelerator's memory is full: take half of `sft.batch` or `rl.prompts` and "
                "twice the `trainer.gradient_accumulation_steps`, in another folder"
            ) from None
        reason = of_the_disk(error)
        if reason is None:
            raise
        raise RunError(
            f"cannot write `{config.output}`: {reason}; with room again, the same command goes on "
            "from what is whole"
        ) from None


def _go_on(run: Run) -> dict[str, Any]:
    first = processes.is_first()
    timer = Timer(run.folder)
    stages = ("init", *run.config.stages)
    if not os.path.isdir(run.place("init", "model")) and first:
        init(run)
        timer.note()
    processes.wait()
    run = fitting(run)
    held_out = kept(run)
    for at, stage in enumerate(stages):
        processes.wait()
        finished = os.path.isdir(run.place(stage, "model"))
        processes.wait()
        if not finished:
            if first:
                metrics.rewind(run.folder, stage, reached(run, stage), stages[at + 1 :])
            try:
                STAGES[stage](run, stages[at - 1], held_out, timer)
            finally:
                if first:
                    checkpoints.prune(run.place(stage))
            if first:
                timer.note()
        if first:
            if evaluated(run, stage, held_out):
                timer.note()
            metrics.write_events(run.folder, stages)
            metrics.write_plot(run.folder)
    processes.wait()
    return summarised(run, stages, held_out, timer.seconds) if first else {}


def _silent(text: str) -> None:
    """Says nothing: one process speaks for all."""
