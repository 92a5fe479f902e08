"""The stages of a run: the model that they begin with, supervised training, reinforcement."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from toolc.output import write_file
from toolc.train import checkpoints, metrics, models, processes
from toolc.train.begin import Run, RunError, task_of
from toolc.train.collected import CollectedError, collected
from toolc.train.evaluation import Held
from toolc.train.examples import encoder, examples, renamed, schedule
from toolc.train.failures import of_the_disk
from toolc.train.generation import Generator, Sampling, prompt_ids
from toolc.train.measure import flat, measured
from toolc.train.messages import cut
from toolc.train.probing import Reward, earned, promising
from toolc.train.renaming import Renamer, texts_of
from toolc.train.rows import Row, whole_tasks
from toolc.train.scores import SCORES
from toolc.train.trl_adapter import (
    Clock,
    episode_function,
    factories,
    parse,
    rl_trainer,
    sft_trainer,
    step_function,
)


def init(run: Run) -> None:
    """Writes the model that the run begins with."""
    model, tokenizer = models.beginning(
        run.config,
        run.dataset.sft["train"],
        [text for each in _names_in(run).values() for text in each],
    )
    checkpoints.put(run.place("init", "model"), lambda place: models.save(model, tokenizer, place))


def _names_in(run: Run) -> dict[str, list[str]]:
    """The names in the data of the environments that are trained on."""
    return {
        name: texts_of(each.environment)
        for name, each in run.environments.items()
        if name not in (run.config.data.hold_out or ())
    }


def _sft(run: Run, before: str, held: Mapping[str, Held]) -> None:
    config = run.config
    model, tokenizer = models.load(run.place(before, "model"))
    rows = run.dataset.sft["train"]
    for_all = dataclasses.replace(config.sft, steps=config.sft.steps * processes.number())
    run.say(f"sft: {len(rows)} rows, {config.sft.steps} steps")
    options = {
        **_common(run, "sft", config.sft),
        "per_device_train_batch_size": config.sft.batch,
        "lr_scheduler_type": "linear",
    }
    trainer = sft_trainer(
        model,
        tokenizer,
        list(examples(rows, encoder(tokenizer), for_all, config.seed, _names_in(run))),
        {**options, **run.trainers["sft"]},
        [_watch(run, "sft", None, None)],
        models.adapters(config.lora),
    )
    _finish(run, "sft", trainer, tokenizer)


def _rl(run: Run, before: str, held: Mapping[str, Held]) -> None:
    config = run.config
    model, tokenizer = models.load(run.place(before, "model"))
    rows = _sampled(run, tokenizer)
    if not rows:
        raise RunError("there is no row to sample from: raise `data.max_tokens`")
    clock = Clock()
    environments = factories(run.sources.values(), (row["environment"] for row in rows), clock)
    by_message = config.rl.unit == "message"
    reward = config.rl.reward
    judge = (
        clock.timed(step_function(config.rl.step_reward))
        if by_message
        else episode_function(reward, SCORES[reward])
    )
    if config.rl.probe:
        rows = _promising(run, model, tokenizer, rows, environments, judge)
        clock.seconds = 0.0  # of training alone
    run.say(f"rl: {len(rows)} rows, {config.rl.steps} steps")
    number = config.rl.steps * config.rl.prompts * processes.number()
    wanted = schedule(rows, number, config.rl.curriculum, config.seed)
    if config.rl.renamed:
        renamer = Renamer(run.dataset.sft["train"], _names_in(run))
        wanted = renamed(wanted, renamer, config.rl.renamed, config.seed)

    def measure(trained: Any) -> dict[str, Any]:
        return measured(run, trained, tokenizer, held, "rl", run.config.evaluation.tasks)

    options = {
        **_common(run, "rl", config.rl),
        "per_device_train_batch_size": config.rl.prompts * config.rl.group,
        "num_generations": config.rl.group,
        "lr_scheduler_type": "linear",
        "max_completion_length": config.rl.max_tokens,
        "max_tool_calling_iterations": 0 if by_message else config.rl.max_rounds,
        "temperature": config.rl.temperature,
        "beta": config.rl.kl,
    }
    if config.rl.message_tokens:
        options["generation_kwargs"] = {"max_new_tokens": config.rl.message_tokens}
    trainer = rl_trainer(
        model,
        tokenizer,
        wanted,
        {row["environment"]: environments[row["environment"]] for row in wanted},
        judge,
        {**options, **run.trainers["rl"]},
        [_watch(run, "rl", clock, measure)],
        models.adapters(config.lora),
        batch_normalised=config.rl.algorithm == "reinforce++",
        live=config.rl.turns == "live",
        norm_rate=config.rl.norm_rate,
    )
    _finish(run, "rl", trainer, tokenizer)


def _promising(
    run: Run,
    model: Any,
    tokenizer: Any,
    rows: Sequence[Row],
    environments: Mapping[str, Any],
    judge: Reward,
) -> Sequence[Row]:
    """The rows that the model solves sometimes."""
    options = run.config.rl
    sampling = Sampling(
        options.message_tokens or options.max_tokens,
        options.temperature,
        run.config.evaluation.batch,
    )
    path = run.place("rl", "probe.json")
    if processes.is_first() and not os.path.exists(path):
        run.say(f"rl: sampling {len(rows)} rows, {options.probe} times each")
        generator = Generator(model, tokenizer, parse(tokenizer), sampling)
        known = earned(rows, generator, environments, judge, options.probe, run.config.seed)
        os.makedirs(run.place("rl"), exist_ok=True)
        write_file(path, (json.dumps(known) + "\n").encode())
    processes.wait()
    try:
        with open(path, encoding="utf-8") as file:
            found = promising(rows, json.load(file))
    except (ValueError, LookupError, TypeError, RecursionError):
        raise RunError(
            f"`{path}` is not of this run; without it the rows are sampled anew"
        ) from None
    run.say(f"rl: {len(found)} of {len(rows)} rows are solved sometimes")
    return found


def _sampled(run: Run, tokenizer: Any) -> Sequence[Row]:
    """The rows that reinforcement learning samples from."""
    config = run.config
    if config.rl.unit == "episode":
        rows = run.dataset.rl["train"]
        return whole_tasks(rows) if config.rl.turns == "live" else rows
    references: dict[tuple[str, str], Row] = {}
    for row in run.dataset.sft["train"]:
        references.setdefault(task_of(row), row)
    if not config.rl.trajectories:
        return [
            {**item, "reference": row["id"]}
            for (of, id), row in references.items()
            for item in cut(
                run.sources[of],
                run.sources[of].environment.tasks[id],
                row["messages"],
                f"{of}/{id}",
            )
        ]
    try:
        found = collected(config.rl.trajectories, run.environments, run.sources, references)
    except CollectedError as error:
        raise RunError(str(error)) from None
    rows = [
        row
        for row in found.rows
        if len(prompt_ids(tokenizer, row["prompt"], json.loads(row["tools"])))
        <= config.data.max_tokens
    ]
    run.say(
        f"rl: {found.taken} trajectories, {len(rows)} messages; not taken: {found.elsewhere} of "
        f"tasks that are not trained on, {found.unusable} that are not scored or unreadable, "
        f"{len(found.rows) - len(rows)} messages after too long a prompt"
    )
    return rows


STAGES: dict[str, Callable[[Run, str, Mapping[str, Held]], None]] = {
    "sft": _sft,
    "rl": _rl,
}


_ON_PROCESSOR = {"use_cpu": True, "bf16": False, "gradient_checkpointing": False}


def _common(run: Run, stage: str, options: Any) -> dict[str, Any]:
    """What the trainers of both stages are told."""
    return {
        "output_dir": run.place(stage),
        "max_steps": options.steps,
        "learning_rate": options.learning_rate,
        "warmup_steps": options.warmup,
        "save_strategy": "steps",
        "save_steps": options.save_every,
        "save_total_limit": 2,
        "logging_steps": 1,
        "report_to": "none",
        "seed": run.config.seed,
        "disable_tqdm": not run.progress,
        **(_ON_PROCESSOR if models.on_processor() else {}),
    }


def _finish(run: Run, stage: str, trainer: Any, tokenizer: Any) -> None:
    if processes.is_first():
        checkpoints.latest(run.place(stage))  # takes away what is not whole
    processes.wait()
    found = checkpoints.latest(run.place(stage))
    if found:
        run.say(f"{stage}: going on from step {found[1]}")
    try:
        trainer.train(resume_from_checkpoint=found[0] if found else None)
    except Exception as error:
        if not found or trainer.state.global_step > found[1] or of_the_disk(error):
            raise
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise RunError(
            f"cannot go on from `{found[0]}`: {reason}; without it the stage goes on from an "
            "earlier one"
        ) from None
    model = models.merged(trainer.accelerator.unwrap_model(trainer.model))
    if processes.is_first():
        place = run.place(stage, "model")
        checkpoints.put(place, lambda place: models.save(model, tokenizer, place))


def reached(run: Run, stage: str) -> int:
    found = checkpoints.latest(run.place(stage))
    return found[1] if found else 0


def _watch(
    run: Run,
    stage: str,
    clock: Clock | None,
    measure: Callable[[Any], dict[str, Any]] | None,
) -> Any:
    """A callback that keeps what is measured, evaluates on the way, and marks checkpoints; in the
    first process, for all."""
    from transformers import TrainerCallback

    every = run.config.evaluation.every

    class Watch(TrainerCallback):
        began = 0.0

        def on_train_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            self.began = time.perf_counter()

        def on_log(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            figures = {name: value for name, value in named["logs"].items() if name != "epoch"}
            figures["seconds"] = time.perf_counter() - self.began
            if clock is not None:
                figures["environment/seconds"] = clock.seconds
                figures["environment/share"] = clock.seconds / figures["seconds"]
                clock.seconds = 0.0
            self.began = time.perf_counter()
            metrics.append(run.folder, stage, state.global_step, figures)

        def on_save(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            checkpoints.mark(run.place(stage), state.global_step)

        def on_step_end(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            if measure and every and state.global_step % every == 0:
                began = time.perf_counter()
                found = measure(named["model"])
                metrics.append(run.folder, stage, state.global_step, flat(found))
                self.began += time.perf_counter() - began  # no part of the step

    return Watch() if processes.is_first() else TrainerCallback()
