"""`toolc show`: a compiled environment, or one of its tasks, at a glance."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog

if TYPE_CHECKING:
    from toolc_runtime.environment import Environment

Json = Mapping[str, Any]

MAX_SHOWN = 2_000
"""Characters of a value that are shown."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "show",
        description="Show a compiled environment: its tools with what they read and write, its "
        "tables, and its scenarios with the kinds and the difficulty of their tasks. With --task, "
        "show one task: messages, steps, expected answers, changes of the state.",
        epilog=epilog(
            {
                "toolc show build/shop": "the environment",
                "toolc show build/shop --task refund:W1": "one task",
                "toolc show build/shop --format json": "for programs",
            },
            "shown",
            about="Difficulty is the number of steps of the reference plan, its depth (the longest "
            "chain of steps that rest on each other) and the number of tools on offer; the "
            "smallest and the largest of a scenario's tasks.",
        ),
    )
    parser.add_argument("build", metavar="BUILD/ENV", help="the folder of a compiled environment")
    parser.add_argument("--task", metavar="ID", help="this task instead of the environment")
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.cli.loading import load_environment

    environment = load_environment(args.build)
    if args.task is None:
        from pathlib import Path

        from toolc.overview import overview

        shown = overview(environment, (Path(args.build) / "tools.py").read_text(encoding="utf-8"))
        lines = _environment(shown)
    else:
        shown = _find(environment, args.task)
        lines = _task(shown)
    if args.format == "json":
        print(json.dumps(shown, ensure_ascii=False))
    else:
        from toolc.diagnostics.catalogue import visible

        print(visible("\n".join(lines)))
    return 0


def _find(environment: Environment, wanted: str) -> dict[str, Any]:
    tasks = environment.tasks
    if wanted in tasks:
        return dict(tasks[wanted].record)
    if not tasks:
        raise UsageError("the environment has no tasks")
    from toolc_runtime.names import near

    similar = near(wanted, tasks)
    asked = f"did you mean `{similar[0]}`?" if similar else f"the first is `{next(iter(tasks))}`"
    raise UsageError(f"there is no task `{wanted}`; {asked}")


# ---------------------------------------------------------------- the environment


def _environment(shown: Json) -> Iterator[str]:
    yield f"{shown['name']} {shown['version']}".rstrip()
    yield f"  {shown['description']}"
    yield f"  clock {shown['clock']}, seed {shown['seed']}"
    yield ""
    yield count(len(shown["tools"]), "tool")
    for tool in shown["tools"]:
        yield f"  {tool['signature']}"
        yield from (f"      {line}" for line in tool["description"].splitlines())
        yield f"      {_effects(tool)}"
    if shown["others"]:
        yield "  of other environments, as distractors"
        yield from _columns([[name, other] for name, other in shown["others"].items()])
    yield ""
    yield count(len(shown["tables"]), "table")
    yield from _columns([[name, count(rows, "row")] for name, rows in shown["tables"].items()])
    if shown["state"]:
        yield f"  state: {', '.join(shown['state'])}"
    yield ""
    scenarios = shown["scenarios"]
    tasks = sum(each["tasks"] for each in scenarios)
    yield f"{count(len(scenarios), 'scenario')}, {count(tasks, 'task')}"
    yield from _columns([_scenario(each) for each in scenarios])
    if scenarios:
        yield ""
        yield f"`--task {scenarios[0]['first']}` shows a task."


def _effects(tool: Json) -> str:
    parts = [f"{verb} {', '.join(tool[verb])}" for verb in ("reads", "writes") if tool[verb]] + [
        "draws"
    ] * tool["draws"]
    return "; ".join(parts) or "no effects"


def _scenario(shown: Json) -> list[str]:
    spans = shown["difficulty"]
    turns = [count(shown["turns"], "turn")] if shown["turns"] > 1 else []
    figures = [f"{name} {_span(*spans[name])}" for name in ("steps", "depth", "tools")]
    kinds = ", ".join(shown["kinds"])
    return [shown["name"], count(shown["tasks"], "task"), kinds, ", ".join([*figures, *turns])]


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}-{high}"


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()


# ---------------------------------------------------------------- a task


def _task(task: Json) -> Iterator[str]:
    figures = task.get("difficulty") or {}
    yield _line("task", f"{task['id']} ({task.get('kind', '')})")
    yield _line("difficulty", ", ".join(f"{name} {figure}" for name, figure in figures.items()))
    yield _line("tools", "all" if task.get("tools") is None else ", ".join(task["tools"]))
    limits = task.get("limits") or {}
    if limits:
        yield _line("limits", ", ".join(f"{name} {limit}" for name, limit in limits.items()))
    yield _line("reward", _value(task.get("reward")))
    if task.get("given"):
        yield _line("given", _value(task["given"]))
    if task.get("system") is not None:
        yield _line("system", task["system"])
    number = 0
    for turn in task.get("turns") or ():
        yield ""
        yield from _turn(turn, number)
        number += len(turn.get("steps") or ())
    yield ""
    yield _line("changes", _value(task["state"]) if task.get("state") else "none")


def _turn(turn: Json, number: int) -> Iterator[str]:
    """One turn; its first step is that of the number after `number`."""
    for name in ("given", "advance"):
        if turn.get(name):
            yield _line(name, _value(turn[name]))
    yield _line("user", turn["user"])
    for index, step in enumerate(turn.get("steps") or (), number + 1):
        yield _line(f"step {index}", step.get("question") or "")
        yield _line("  call", f"{step['tool']} {_value(step['arguments'])}")
        ended = "failure" if "failure" in step else "result"
        yield _line(f"  {ended}", _value(step.get(ended)))
        if step.get("pinned"):
            yield _line("  pinned", ", ".join(step["pinned"]))
        if step.get("writes"):
            yield _line("  writes", _value(step["writes"]))
        if step.get("after"):
            yield _line("  after", ", ".join(f"step {other + 1}" for other in step["after"]))
    if "answer" in turn:
        yield _line("answer", f"{_value(turn['answer'])} ({turn.get('answer_type', '')})")
    if "reply" in turn:
        yield _line("reply", str(turn["reply"]))


def _line(name: str, text: str) -> str:
    first, *others = text.splitlines() or [""]
    return "\n".join([f"{name:12}{first}", *(f"{'':12}{line}" for line in others)]).rstrip()


def _value(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
