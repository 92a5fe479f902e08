"""The gate of shorter ways: nothing but the plan, or as much as it, leads where it leads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from toolc.audit import calls, wording
from toolc.audit.finding import Finding, proved, refuted, unknown
from toolc.audit.leaves import distinctive, leaves, stands_in
from toolc.audit.pool import Pool, resolved
from toolc.audit.script import Move, flat, with_moves
from toolc.audit.subject import FULL, Subject
from toolc_runtime.episode import Episode

MOST_EPISODES = 400
MOST_CALLS = 20
"""Calls of each tool that are tried at each point of the plan."""
MOST_POINTS = 3
"""Points of the plan from which one call is tried: the first ones."""


def no_shortcut(subject: Subject) -> Finding:
    """Nothing shorter than the plan earns the whole reward, or finds out or does the same."""
    if len(subject.steps) < 2:
        return proved("the plan is one call, and without calls there is no reward")
    tried = 0
    for point in _points(subject):
        place = _reached(subject, point)
        for tool in subject.offered:
            tried += 1
            move = _direct(subject, point, place, tool)
            if move is not None and all(_also(each, point, tool) for each in subject.siblings):
                moves = [*flat(subject.reference)[: point.done], (point.turn, move)]
                script = with_moves(subject.reference, moves)
                after = f"after step {point.done} " if point.done else ""
                what = "does" if point.writes else "tells"
                return refuted(
                    f"{after}one call of `{tool}` {what} what takes {point.left} steps", script
                )
    early = _early(subject)
    if early is not None and all(_early(each) is not None for each in subject.siblings):
        return refuted(f"step {early + 1} tells the answer already: what follows is idle")
    if _each_step_takes_a_call(subject):
        return proved(
            f"each of {len(subject.steps)} steps takes a call of its own, and no single call of "
            f"{tried} tools does what several of them do"
        )
    return _search(subject, tried)


# ---------------------------------------------------------------- one call for several


class _Point(NamedTuple):
    """Where one call may do what is left of a turn: `done` steps of the plan are made, `left` are
    left of the turn, which write (and nothing is asked) or do not (and something is)."""

    turn: int
    done: int
    left: int
    writes: bool


class _Place(NamedTuple):
    """What is reached at a point: the episode, and what a caller has been told."""

    episode: Episode
    pool: Pool


def _points(subject: Subject) -> Iterator[_Point]:
    """The points from which at least two steps of a turn are left; none where a step is to be
    refused, or the answer is one of what the prompt names; after a write none."""
    last = len(subject.task.turns) - 1
    for number, turn in enumerate(subject.task.turns):
        steps = [step for step in subject.steps if step.turn == number]
        writes = any(step.writes for step in steps)
        told = stands_in(str(turn.get("answer")), subject.prompt(number))
        mixed = ("answer" in turn) == writes or (writes and number < last)
        if len(steps) < 2 or mixed or told or any(step.fails for step in steps):
            continue
        for step in steps[:-1][:MOST_POINTS]:
            yield _Point(number, step.number, len(steps) - steps.index(step), writes)
            if step.writes:
                break


def _reached(subject: Subject, point: _Point) -> _Place:
    episode = subject.environment.episode(subject.task)
    told: list[str] = []
    done = 0
    for turn in subject.reference[: point.turn + 1]:
        for move in turn.moves:
            if done == point.done:
                break
            told += leaves(json.loads(episode.call(*move[:2], parallel=move.parallel)))
            done += 1
        else:
            if point.turn > len(episode.texts):
                episode.reply(turn.text)
    pool = Pool(
        subject.prompt(point.turn),
        subject.shared.keys,
        also=[*subject.named, *told],
        groups=_groups(subject, point),
    )
    return _Place(episode, pool)


def _groups(subject: Subject, point: _Point) -> list[list[Mapping[str, Any]]]:
    """The arguments of what is left of a turn, by tool, where several calls are of one."""
    left = subject.steps[point.done : point.done + point.left]
    by_tool: dict[str, list[Mapping[str, Any]]] = {}
    for step in left:
        by_tool.setdefault(step.tool, []).append(step.arguments)
    return [rows for rows in by_tool.values() if len(rows) > 1]


def _also(sibling: Subject, point: _Point, tool: str) -> bool:
    """Whether such a call does as much in another task of the family, where that has as many
    steps: what is so by chance in one task is not so in others."""
    here = next((each for each in _points(sibling) if each[:2] == point[:2]), None)
    return here is None or _direct(sibling, here, _reached(sibling, here), tool) is not None


def _direct(subject: Subject, point: _Point, place: _Place, tool: str) -> Move | None:
    """A call of a tool with what is known at that point that does what is left of the turn; of the
    plan's own tools only those that look up."""
    own = point.writes and any(step.tool == tool for step in subject.steps)
    if own or subject.shared.writes(tool) != point.writes:
        return None
    for arguments in calls.every(subject, tool, MOST_CALLS, place.pool, str(point.done)):
        trial = place.episode.fork()
        observation = trial.call(tool, arguments)
        if trial.trace[-1].status != "ok":
            continue
        if point.writes:
            found = trial.json_changes() == subject.solved.episode.json_changes()
        else:
            answer = subject.task.turns[point.turn]["answer"]
            by_chance = not (
                distinctive(answer) or subject.siblings or _is_about(subject, tool, arguments)
            )
            found = not by_chance and _tells(json.loads(observation), answer)
        if found:
            return Move(tool, arguments)
    return None


def _is_about(subject: Subject, tool: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a tool says that it is about what the prompt is about, or is told so by what is
    chosen of its lists."""
    parameters = subject.shared.parameters[tool]
    schemas = parameters.get("properties", {})
    chosen = (
        str(value)
        for name, value in arguments.items()
        if "enum" in resolved(schemas.get(name, {}), parameters.get("$defs", {}))
    )
    said = wording.content(" ".join([tool, subject.shared.summaries[tool], *chosen]))
    return len(said & wording.content(subject.prompt(len(subject.task.turns)))) > 1


def _tells(found: Any, answer: Any) -> bool:
    """Whether a result is the answer, or has it as a field; one that is found by chance only where
    it stands there almost alone."""
    if found == answer:
        return answer not in (True, False, None)
    if not isinstance(found, dict) or isinstance(answer, bool) or answer not in found.values():
        return False
    number = isinstance(answer, (int, float)) and abs(answer) >= 10
    return distinctive(answer) or (number and len(leaves(found)) <= 2)


def _early(subject: Subject) -> int | None:
    """A step whose result has the answer of a turn before that turn's last step, which is there
    for nothing else; looked for from the last write on, whose result tells what it left."""
    for number in subject.answers:
        line = subject.task.turns[number]
        steps = [step for step in subject.steps if step.turn <= number]
        if not steps or steps[-1].turn != number or steps[-1].writes:
            continue
        *before, last = steps
        written = max((at for at, step in enumerate(before) if step.writes), default=0)
        before = before[written:]
        answer = line["answer"]
        if last.fails or not distinctive(answer) or isinstance(answer, (list, dict)):
            continue
        if (line.get("answer_rests_on") or [0])[-1] != last.number:
            continue
        for step in before:
            if not step.fails and str(answer) in leaves(step.outcome) and _is_one(step.outcome):
                return step.number
    return None


def _is_one(outcome: Any) -> bool:
    """Whether a result is about one thing: no list of several."""
    return not isinstance(outcome, list) or len(outcome) == 1


# ---------------------------------------------------------------- shorter episodes


def _each_step_takes_a_call(subject: Subject) -> bool:
    goals = [check for check in subject.solved.verdict.checks if check.group == "steps"]
    return len(goals) == len(subject.steps)


def _search(subject: Subject, tried: int) -> Finding:
    """Plays shorter episodes: the plan's calls with some left out, and calls from the prompt."""
    moves = flat(subject.reference)
    turns = range(len(subject.task.turns))
    made = [move for tool in subject.offered for move in _moves(subject, tool)]
    candidates = [*moves, *((turn, move) for move in made for turn in turns)]
    for size in range(1, len(moves)):
        for chosen in in_turn(candidates, size):
            if tried >= MOST_EPISODES:
                return unknown(f"{tried} shorter episodes do not reach 1; there are more")
            tried += 1
            script = with_moves(subject.reference, list(chosen))
            if subject.play(script).verdict.reward >= FULL:
                return refuted(f"{size} of {len(moves)} calls earn 1", script)
    return proved(f"none of {tried} shorter episodes earns 1")


def in_turn(
    candidates: Sequence[tuple[int, Move]], size: int, first: int = 0
) -> Iterator[tuple[tuple[int, Move], ...]]:
    """Every choice of so many candidates whose turns do not go back, the earliest of which is not
    before `first`."""
    if not size:
        yield ()
        return
    for turn, move in candidates:
        if turn >= first:
            for rest in in_turn(candidates, size - 1, turn):
                yield ((turn, move), *rest)


def _moves(subject: Subject, tool: str) -> list[Move]:
    return [Move(tool, arguments) for arguments in calls.few(subject, tool, 2)]
