"""Rows as FTRL (arXiv 2508.08791) publishes them, with the code of every tool in them.

A row is a task of one turn whose steps only read::

    messages      the system's message and the user's
    tools         JSON text: the schemas of the tools offered that have code
    codes         JSON text: by tool Python source that defines it, see `toolc.export.codes`
    unsolved_set  JSON text: by tool the answers expected of it, one a step of the plan
    answer        the final answer; "" where the task asks for none
    solve_rate    0.0: nothing is solved yet
    split         "train", else "test", as the published harness knows no other
    data_source   "toolc/shop"
    id, of, task, scenario, kind, steps, unseen
                  as in the rows of `toolc.train.rows`

The published harness keeps no state and knows one user message. So tools that write are left out
of what a task offers, and tasks that need them, or have several turns, are refused.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from toolc import __version__
from toolc.export.codes import Call, Coder, Refused, answered
from toolc.train.admitted import Admitted
from toolc.train.dataset import (
    SPLITS,
    Options,
    in_balance,
    placed,
    split_files,
    write_folder,
)
from toolc.train.rows import Row, facts, offered
from toolc.train.splits import Place
from toolc_runtime.environment import Environment
from toolc_runtime.ftrl import expected_text
from toolc_runtime.task import Task
from toolc_runtime.values import canonical

CARD = "export.json"

Refusals = dict[str, dict[str, str]]
"""By environment and by tool, or task, the reason why it is not exported."""


class Export(NamedTuple):
    """Rows by split, and what was refused."""

    rows: Mapping[str, list[Row]]
    tools: Refusals
    tasks: Refusals


class _Candidate(NamedTuple):
    """A task that can be exported if its codes give what the environment gives."""

    task: Task
    place: Place
    codes: Mapping[str, str]
    calls: tuple[tuple[str, dict[str, Any], str], ...]
    """The calls of its plan, each with the environment's text."""


def make(admitted: Mapping[str, Admitted], options: Options) -> Export:
    """The rows of environments' admitted tasks. Every code has been run in a process of its own on
    every call that a plan makes of it, and on bad ones, and gave the environment's text to the
    character. Raises `DatasetError` as data sets do."""
    rows: dict[str, list[Row]] = {name: [] for name in SPLITS}
    tools: Refusals = {}
    tasks: Refusals = {}
    sources = defaultdict(list)
    for source, task, place in placed(admitted, options):
        sources[source.environment.name].append((source, task, place))
    for name, group in sources.items():
        source = group[0][0]
        refused = tools.setdefault(name, {})
        without = tasks.setdefault(name, {})
        coder = Coder(source.environment)
        candidates = []
        for _, task, place in group:
            try:
                candidates.append(_candidate(coder, source.environment, task, place, refused))
            except Refused as error:
                without[task.id] = str(error)
        wrong = _wrong(source.environment, candidates)
        for candidate in candidates:
            codes = {tool: code for tool, code in candidate.codes.items() if code not in wrong}
            refused.update(
                (tool, wrong[code]) for tool, code in candidate.codes.items() if code in wrong
            )
            missing = [tool for tool, _, _ in candidate.calls if tool not in codes]
            if missing:
                without[candidate.task.id] = f"`{missing[0]}` {refused[missing[0]]}"
                continue
            row = _row(candidate, codes, source.environment)
            shared = facts(source, candidate.task)
            kept = ("of", "task", "scenario", "kind", "steps")
            rows[candidate.place.split].append(
                row | {key: shared[key] for key in kept} | {"unseen": candidate.place.unseen}
            )
    return Export(in_balance(rows, options.seed), tools, tasks)


def _candidate(
    coder: Coder, environment: Environment, task: Task, place: Place, refused: dict[str, str]
) -> _Candidate:
    """Notes in `refused` the tools that the task offers and that have no code. Raises `Refused`
    where the task needs one of them, or is not of the published form."""
    codes = {}
    for tool in offered(environment, task):
        try:
            codes[tool] = coder.code(tool, task)
        except Refused as error:
            refused[tool] = str(error)
    if len(task.turns) != 1:
        raise Refused(f"has {len(task.turns)} turns")
    steps = task.turns[0]["steps"]
    if not steps:
        raise Refused("needs no tool, and the published measure divides by what tools must solve")
    for step in steps:
        if step["tool"] not in codes:
            raise Refused(f"`{step['tool']}` {refused[step['tool']]}")
    episode = environment.episode(task)
    calls = tuple(
        (step["tool"], step["arguments"], episode.call(step["tool"], step["arguments"]))
        for step in steps
    )
    return _Candidate(task, place, codes, calls)


def _wrong(environment: Environment, candidates: list[_Candidate]) -> dict[str, str]:
    """The codes that do not give what the environment gives, each with what is wrong with it."""
    trials: dict[tuple[str, str], tuple[Call, str]] = {}
    for candidate in candidates:
        made = defaultdict(list)
        for tool, arguments, text in candidate.calls:
            made[tool].append((arguments, text))
        for tool, code in candidate.codes.items():
            for arguments, text in (*made[tool], *_bad(environment, candidate.task, tool)):
                trials[code, canonical(arguments)] = (code, arguments), text
    calls = [call for call, _ in trials.values()]
    try:
        texts = answered(calls)
    except Refused:
        return _wrong_each(trials)
    return {
        code: "gives something else by itself"
        for ((code, _), text), found in zip(trials.values(), texts, strict=True)
        if found != text
    }


def _wrong_each(trials: Mapping[Any, tuple[Call, str]]) -> dict[str, str]:
    """The same where some code does not run: each in a process of its own."""
    wrong = {}
    for (code, arguments), text in trials.values():
        try:
            if code not in wrong and answered([(code, arguments)]) != [text]:
                wrong[code] = "gives something else by itself"
        except Refused as error:
            wrong[code] = str(error)
    return wrong


def _bad(environment: Environment, task: Task, tool: str) -> Iterator[tuple[dict[str, Any], str]]:
    """Calls that the environment rejects."""
    for arguments in ({}, {"no such argument": [None]}):
        yield arguments, environment.episode(task).call(tool, arguments)


def _row(candidate: _Candidate, codes: Mapping[str, str], environment: Environment) -> Row:
    task = candidate.task
    turn = task.turns[0]
    unsolved = defaultdict(list)
    for tool, _, text in candidate.calls:
        unsolved[tool].append(", ".join(_scalars(json.loads(text))))
    schemas = environment.schemas_of(task)
    messages = [{"role": "system", "content": task.system}] if task.system else []
    return {
        "id": f"{environment.name}/{task.id}",
        "messages": [*messages, {"role": "user", "content": turn["user"]}],
        "tools": _text([each for each in schemas if each["function"]["name"] in codes]),
        "codes": _text(codes),
        "unsolved_set": _text(unsolved),
        "answer": expected_text(turn.get("answer")),
        "solve_rate": 0.0,
        "split": "train" if candidate.place.split == "train" else "test",
        "data_source": f"toolc/{environment.name}",
    }


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _scalars(value: Any) -> Iterator[str]:
    """The scalars of a result, each as it stands in the result's text."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _scalars(each)
    else:
        text = canonical(value)
        yield text[1:-1] if isinstance(value, str) else text


# ---------------------------------------------------------------- on disk


def write(export: Export, options: Options, folder: str) -> dict[str, Any]:
    """Writes `SPLIT.jsonl` and `.parquet`, and last `export.json`, which is returned. Raises
    `DatasetError`."""
    about = summary(export, options)
    write_folder(split_files("", export.rows), about, CARD, folder)
    return about


def summary(export: Export, options: Options) -> dict[str, Any]:
    """What was exported, by split and environment, and what was refused, with reasons."""
    return {
        "format": "ftrl",
        "toolc": __version__,
        "seed": options.seed,
        "held_out": list(options.held_out),
        "shares": options.shares._asdict(),
        "rows": {
            name: dict(sorted(Counter(row["of"] for row in rows).items()))
            for name, rows in export.rows.items()
        },
        "refused": {"tools": export.tools, "tasks": export.tasks},
    }
