"""`toolc run`: a task's reference plan as an episode, or calls by hand."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import Subparsers, UsageError, add_format, epilog

if TYPE_CHECKING:
    from toolc.audit.script import Script
    from toolc_runtime.environment import Environment
    from toolc_runtime.episode import Episode
    from toolc_runtime.task import Task

Event = dict[str, Any]
Show = Callable[[Event], None]

MAX_SHOWN = 2_000


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "run",
        description="Play the reference plan of a task and show messages, calls, results and the "
        "verdict; or an episode of `toolc audit`; or make calls by hand. Exit 1 where the plan or "
        "the episode does not get the whole reward.",
        epilog=epilog(
            {
                "toolc run build/shop": "the plan of the first task",
                "toolc run build/shop --task refund --script bad.json": "what an audit has found",
                'toolc run build/shop --call get_order \'{"id": "W1"}\'': "a call by hand",
            },
            "the whole reward, or the calls were made",
            "not the whole reward",
        ),
    )
    parser.add_argument("build", metavar="BUILD/ENV", help="the folder of a compiled environment")
    parser.add_argument("--scenario", metavar="NAME", help="the first task of this scenario")
    parser.add_argument("--task", metavar="ID", help="this task (default: the first one)")
    parser.add_argument("--seed", type=int, metavar="N", help="another seed for what is drawn")
    made = parser.add_mutually_exclusive_group()
    made.add_argument(
        "--script",
        metavar="FILE",
        help="play these calls and texts: the episode of a verdict of `toolc audit --format json`, "
        "as JSON, or - for standard input",
    )
    made.add_argument(
        "--call",
        nargs=2,
        action="append",
        metavar=("NAME", "JSON"),
        help="call this tool instead of playing the plan; may be repeated",
    )
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.cli.loading import load_environment

    environment = load_environment(args.build)
    show = _as_json if args.format == "json" else _as_text
    script = None if args.script is None else _read_script(args.script)
    if args.call and args.task is None and args.scenario is None:
        episode = environment.episode(seed=args.seed)
        _call_all(episode, args.call, show)
        return 0
    task = _choose(environment, args.task, args.scenario)
    episode = environment.episode(task.id, seed=args.seed)
    show({"type": "task", "id": task.id, "kind": task.kind})
    for message in episode.messages:
        show({"type": "message", **message})
    if args.call:
        _call_all(episode, args.call, show)
        return 0
    if script is not None:
        return _follow(episode, script, show)
    return _play(episode, task, show)


def _read_script(path: str) -> Script:
    from toolc.audit.script import ScriptError, from_json
    from toolc.cli.loading import read_json

    try:
        return from_json(read_json(path))
    except ScriptError as error:
        raise UsageError(f"`{path}` is no episode: {error}") from None


def _choose(environment: Environment, wanted: str | None, scenario: str | None) -> Task:
    tasks = environment.tasks
    if wanted is not None:
        if wanted in tasks:
            return tasks[wanted]
        raise UsageError(f"there is no task `{wanted}`; {_some('tasks', list(tasks))}")
    for task in tasks.values():
        if scenario in (None, task.scenario, task.id):
            return task
    if scenario is None:
        raise UsageError("the environment has no tasks; use --call NAME JSON")
    names = list(dict.fromkeys(task.scenario for task in tasks.values()))
    raise UsageError(f"there is no scenario `{scenario}`; {_some('scenarios', names)}")


def _some(what: str, names: list[str]) -> str:
    rest = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return f"{what}: {', '.join(names[:5]) or 'none'}{rest}"


def _call_all(episode: Episode, calls: list[list[str]], show: Show) -> None:
    from toolc_runtime.state import changes

    for name, arguments in calls:
        _call(episode, name, arguments, show)
    show({"type": "changes", "changes": changes(episode.state)})


def _call(episode: Episode, name: str, arguments: str, show: Show) -> None:
    _show_call(episode, arguments, episode.call(name, arguments), show)


def _show_call(
    episode: Episode, arguments: Mapping[str, Any] | str, result: str, show: Show
) -> None:
    call = episode.trace[-1]
    event = {"type": "call", "tool": call.tool, "arguments": arguments}
    show({**event, "result": json.loads(result), "status": call.status})


def _play(episode: Episode, task: Task, show: Show) -> int:
    from toolc.scenarios.player import Player

    player = Player(episode, task)
    for number, turn in enumerate(task.turns):
        for step in turn.get("steps", ()):
            show({"type": "step", "question": step.get("question", "")})
            arguments = player.arguments(step)
            _show_call(episode, arguments, player.do(step), show)
        show({"type": "message", "role": "assistant", "content": player.text(turn)})
        said = player.end(number)
        if isinstance(said, str):
            show({"type": "message", "role": "user", "content": said})
        else:
            show({"type": "verdict", **said.to_json()})
            return int(said.reward < 1)
    return 1


def _follow(episode: Episode, script: Script, show: Show) -> int:
    """Plays a script; one that ends before the task does is followed by silence."""
    for turn in script:
        for tool, arguments, parallel in turn.moves:
            result = episode.call(tool, arguments, parallel=parallel)
            if episode.verdict is None:
                _show_call(episode, arguments, result, show)
        show({"type": "message", "role": "assistant", "content": turn.text})
        said = episode.reply(turn.text)
        if not isinstance(said, str):
            break
        show({"type": "message", "role": "user", "content": said})
    verdict = episode.finish()
    show({"type": "verdict", **verdict.to_json()})
    return int(verdict.reward < 1)


def _as_json(event: Event) -> None:
    print(json.dumps(event, ensure_ascii=False))


def _as_text(event: Event) -> None:
    print(_TEXTS[event["type"]](event))


def _verdict(event: Event) -> str:
    lines = [f"verdict    reward {event['reward']:g}"]
    for check in event["checks"]:
        value = f"{check['value']:.2f}"
        lines.append(f"  {value}  {check['name']}: {check['reason']}")
    return "\n".join(lines)


def _called(event: Event) -> str:
    arguments = event["arguments"]
    shown = arguments if isinstance(arguments, str) else _short(arguments)
    mark = "" if event["status"] == "ok" else f"   ({event['status']})"
    return f"  call     {event['tool']} {shown}\n  result   {_short(event['result'])}{mark}"


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"


_TEXTS: dict[str, Callable[[Event], str]] = {
    "task": lambda event: f"task       {event['id']} ({event['kind']})",
    "message": lambda event: f"{event['role']:10} {event['content']}",
    "step": lambda event: f"step       {event['question']}",
    "call": _called,
    "changes": lambda event: f"changes    {_short(event['changes'])}",
    "verdict": _verdict,
}
