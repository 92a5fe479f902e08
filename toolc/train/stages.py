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
from toolc.train.failures import of_the_disk, of_the_memory
from toolc.train.generation import Generator, Sampling, prompt_ids
from toolc.train.measure import flat, measured
from toolc.train.messages import cut
from toolc.train.probing import Reward, earned, promising
from toolc.train.renaming import Renamer, texts_of
from toolc.train.rows import Row, whole_tasks
from toolc.train.scores import SCORES
from toolc.train.timer import Timer
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


def _sft(run: Run, before: str, held: Mapping[str, Held], timer: Timer) -> None:
    config = run.config
    model, tokenizer = models.load(run.place(before, "model"), config.dtype)
    rows = run.dataset.sft["train"]
    for_all = dataclasses.replace(config.sft, steps=config.sft.steps * _windows(run, "sft"))
    run.say(f"sft: {len(rows)} rows, {config.sft.steps} steps")
    encode = encoder(tokenizer, run.shown_in_training(tokenizer))
    trainer = sft_trainer(
        model,
        tokenizer,
        list(examples(rows, encode, for_all, config.seed, _names_in(run))),
        _sft_options(run),
        [_watch(run, "sft", timer, None, None)],
        models.adapters(config.lora),
    )
    _finish(run, "sft", trainer, tokenizer)


def _rl(run: Run, before: str, held: Mapping[str, Held], timer: Timer) -> None:
    config = run.config
    model, tokenizer = models.load(run.place(before, "model"), config.dtype)
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
    number = config.rl.steps * config.rl.prompts * _windows(run, "rl")
    wanted = schedule(rows, number, config.rl.curriculum, config.seed)
    if config.rl.renamed:
        renamer = Renamer(run.dataset.sft["train"], _names_in(run))
        wanted = renamed(wanted, renamer, config.rl.renamed, config.seed)

    def measure(trained: Any) -> dict[str, Any]:
        return measured(run, trained, tokenizer, held, "rl", run.config.evaluation.tasks)

    trainer = rl_trainer(
        model,
        tokenizer,
        wanted,
        {row["environment"]: environments[row["environment"]] for row in wanted},
        judge,
        _rl_options(run),
        [_watch(run, "rl", timer, clock, measure)],
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
        shown = run.shown_in_training(tokenizer)
        generator = Generator(models.at_work(model), tokenizer, parse(tokenizer), sampling, shown)
        with run.bar("samples", len(rows) * options.probe) as bar:
            known = earned(
                rows, generator, environments, judge, options.probe, run.config.seed, bar.update
            )
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
    shown = run.shown_in_training(tokenizer)
    rows = [
        row
        for row in found.rows
        if len(prompt_ids(tokenizer, row["prompt"], json.loads(row["tools"]), shown))
        <= config.data.max_tokens
    ]
    run.say(
        f"rl: {found.taken} trajectories, {len(rows)} messages; not taken: {found.elsewhere} of "
        f"tasks that are not trained on, {found.unusable} that are not scored or unreadable, "
        f"{len(found.rows) - len(rows)} messages after too long a prompt"
    )
    return rows


STAGES: dict[str, Callable[[Run, str, Mapping[str, Held], Timer], None]] = {
    "sft": _sft,
    "rl": _rl,
}


def _sft_options(run: Run) -> dict[str, Any]:
    """What the trainer of supervised training is told."""
    return {
        **_common(run, "sft", run.config.sft),
        "per_device_train_batch_size": run.config.sft.batch,
        **run.trainers["sft"],
    }


def _rl_options(run: Run) -> dict[str, Any]:
    """What the trainer of reinforcement learning is told."""
    options, own = run.config.rl, run.trainers["rl"]
    made = {
        **_common(run, "rl", options),
        "per_device_train_batch_size": options.prompts * options.group,
        "num_generations": options.group,
        "max_completion_length": options.max_tokens,
        "max_tool_calling_iterations": 0 if options.unit == "message" else options.max_rounds,
        "temperature": options.temperature,
        "beta": options.kl,
    }
    if options.message_tokens:
        bound = "max_tokens" if own.get("use_vllm") else "max_new_tokens"
        made["generation_kwargs"] = {bound: min(options.message_tokens, options.max_tokens)}
    return {**made, **own}


OPTIONS: dict[str, Callable[[Run], dict[str, Any]]] = {"sft": _sft_options, "rl": _rl_options}


def _windows(run: Run, stage: str) -> int:
    """How many times the rows that a process takes at once make a step."""
    return int(run.trainers[stage].get("gradient_accumulation_steps", 1)) * processes.number()


_ON_PROCESSOR = {"use_cpu": True, "bf16": False, "gradient_checkpointing": False}


def _common(run: Run, stage: str, options: Any) -> dict[str, Any]:
    """What the trainers of both stages are told."""
    return {
        "output_dir": run.place(stage),
        "max_steps": options.steps,
        "learning_rate": options.learning_rate,
        "warmup_steps": options.warmup,
        "lr_scheduler_type": "linear",
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
        checkpoints.prune(run.place(stage))
    processes.wait()
    found = checkpoints.latest(run.place(stage))
    if found:
        run.say(f"{stage}: going on from step {found[1]}")
    begun = _Begun()
    trainer.add_callback(begun.callback())
    try:
        trainer.train(resume_from_checkpoint=found[0] if found else None)
    except Exception as error:
        if not found or begun.step or of_the_disk(error) or of_the_memory(error):
            raise
        reason = str(error).strip().split("\n")[0] or type(error).__name__
        raise RunError(
            f"cannot go on from `{found[0]}`: {reason}; without it the stage goes on from an "
            "earlier one"
        ) from None
    steps = trainer.args.max_steps
    if trainer.state.global_step < steps:
        raise RunError(f"{stage} ended after {trainer.state.global_step} of {steps} steps")
    model = models.merged(trainer.accelerator.unwrap_model(trainer.model))
    if processes.is_first():
        place = run.place(stage, "model")
        checkpoints.put(place, lambda place: models.save(model, tokenizer, place))


class _Begun:
    """Whether a trainer has begun a step: its checkpoint was read by then."""

    step = False

    def callback(self) -> Any:
        from transformers import TrainerCallback

        begun = self

        class Begun(TrainerCallback):
            def on_step_begin(self, args: Any, state: Any, control: Any, **named: Any) -> None:
                begun.step = True

        return Begun()


def reached(run: Run, stage: str) -> int:
    found = checkpoints.latest(run.place(stage))
    return found[1] if found else 0


def _watch(
    run: Run,
    stage: str,
    timer: Timer,
    clock: Clock | None,
    measure: Callable[[Any], dict[str, Any]] | None,
) -> Any:
    """A callback that keeps what is measured, evaluates on the way, and marks checkpoints; in the
    first process, for all."""
    from transformers import TrainerCallback

    every = run.config.evaluation.every

    class Waiting(TrainerCallback):
        def on_save(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            processes.wait()  # each process writes a part of a checkpoint

    class Watch(Waiting):
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
            super().on_save(args, state, control)
            checkpoints.mark(run.place(stage), state.global_step)
            timer.note()

        def on_step_end(self, args: Any, state: Any, control: Any, **named: Any) -> None:
            if measure and every and state.global_step % every == 0:
                began = time.perf_counter()
                found = measure(named["model"])
                metrics.append(run.folder, stage, state.global_step, flat(found))
                self.began += time.perf_counter() - began  # no part of the step

    return Watch() if processes.is_first() else Waiting()
