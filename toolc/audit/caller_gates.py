"""Gates that play callers who do not solve the task: none of them may be paid as if they had."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import cycle, islice, product
from math import comb
from random import Random
from typing import Any

from toolc.audit.finding import Finding, proved, refuted, unknown
from toolc.audit.pool import Pool
from toolc.audit.script import Move, Played, Script, Turn, flat, with_moves, with_texts
from toolc.audit.subject import FULL, Subject
from toolc_runtime.values import canonical
from toolc_runtime.verify import literals

LUCK = 0.6
"""The most that careless callers may earn on average."""

CALLERS = 6
MOST_CALLS = 24
MOST_EPISODES = 400
TRIES = 8


# ---------------------------------------------------------------- nothing gains nothing


def nothing_gains_nothing(subject: Subject) -> Finding:
    """Who calls nothing earns nothing; where nothing is to be called, who calls earns nothing."""
    if subject.idle:
        return _any_call_loses(subject)
    for texts in _claims(subject):
        script = with_texts(with_moves(subject.reference, []), texts)
        if subject.play(script).verdict.reward > 0:
            return refuted("an episode without calls is paid", script)
    for turn in subject.answers:
        if _leaks(subject, turn):
            return refuted("the prompt itself states the answer")
    return proved("no text alone earns anything, and the prompt does not state the answer")


def _claims(subject: Subject) -> Iterator[dict[int, str]]:
    turns = range(len(subject.task.turns))
    yield dict.fromkeys(turns, "")
    yield {turn: subject.prompt(turn) for turn in turns}
    yield {turn: each.text for turn, each in enumerate(subject.reference)}


def _leaks(subject: Subject, turn: int) -> bool:
    """Whether the answer, where it is not one of a few words or a small number, stands in what the
    model is told, and is not one of several that the user names."""
    line = subject.task.turns[turn]
    if not _distinctive(line["answer"]):
        return False
    told = subject.prompt(turn)
    earlier = "\n".join(each["user"] for each in subject.task.turns[:turn])
    schemas = "\n".join(subject.shared.descriptions[tool] for tool in subject.offered)
    leaves = _leaves(line["answer"])
    others = line.get("answer_candidates") or ()
    if turn and all(_stands_in(leaf, earlier) for leaf in leaves):
        return True
    if any(literals.holds(told, other) for other in others):
        return False
    if any(_is_choice(subject, leaf, told) for leaf in leaves):
        return False
    return all(_stands_in(leaf, told) for leaf in leaves) or (
        all(len(leaf) > 3 and literals.holds(schemas, leaf) for leaf in leaves)
        and not others
        and all(literals.number(leaf) for leaf in leaves)
    )


def _stands_in(leaf: str, text: str) -> bool:
    number = literals.number(leaf)
    if number is not None:
        value = literals.exact(float(leaf.replace(",", "")))
        return any(each.means(value) for each in literals.numbers(text))
    moments = [value for _, read in literals.MOMENTS for value, _ in read(text)]
    return literals.holds(text, leaf) or leaf in moments


def _is_choice(subject: Subject, value: str, told: str) -> bool:
    """Whether a value is one of several that the prompt asks about: keys of one table, or what
    several steps take as the same argument."""
    if subject.shared.keys.alike(value, told):
        return True
    taken: dict[tuple[str, str], set[str]] = {}
    for step in subject.steps:
        for name, argument in step.arguments.items():
            taken.setdefault((step.tool, name), set()).add(str(argument))
    return any(value in values and len(values) > 1 for values in taken.values())


def _distinctive(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_distinctive, value.values()))
    if isinstance(value, list):
        return any(map(_distinctive, value))
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, (int, float)):
        return len(str(value).strip("-0.").replace(".", "")) >= 3
    return len(value) >= 3


def _any_call_loses(subject: Subject) -> Finding:
    random = subject.random("any call")
    for tool in subject.offered:
        arguments = _arguments(subject, tool, random) or {}
        script = with_moves(subject.reference, [(0, Move(tool, arguments))])
        if subject.play(script).verdict.reward > 0:
            return refuted(f"a call of `{tool}` is paid though nothing is to be called", script)
    return proved(f"a call of any of the {len(subject.offered)} tools earns 0")


def _arguments(
    subject: Subject, tool: str, random: Random, pool: Pool | None = None
) -> dict[str, Any] | None:
    """Valid arguments from the prompt (or another pool) and the schema, or None where a few tries
    find none."""
    for _ in range(TRIES):
        arguments = (pool or subject.pool).arguments(subject.shared.parameters[tool], random)
        if subject.shared.valid(tool, arguments):
            return arguments
    return None


# ---------------------------------------------------------------- no shortcut


def no_shortcut(subject: Subject) -> Finding:
    """Nothing shorter than the plan earns the whole reward, or finds out the same."""
    if len(subject.steps) < 2:
        return proved("the plan is one call, and without calls there is no reward")
    tried = 0
    for tool in subject.offered:
        tried += 1
        move = _direct(subject, tool)
        if move is not None and all(
            _direct(sibling, tool) is not None for sibling in subject.siblings
        ):
            turn = len(subject.task.turns) - 1
            script = with_moves(subject.reference, [(turn, move)])
            return refuted(f"one call of `{tool}` finds the answer of the whole plan", script)
    early = _early(subject)
    if early is not None and all(_early(each) is not None for each in subject.siblings):
        return refuted(f"step {early + 1} tells the answer already: what follows is idle")
    if _each_step_takes_a_call(subject):
        return proved(
            f"each of {len(subject.steps)} steps takes a call of its own, and no single call of "
            f"{tried} tools tells the answer"
        )
    return _search(subject, tried)


def _early(subject: Subject) -> int | None:
    """The first step but the last whose result has the answer, where only the answer is asked for
    and the last step is there for nothing else."""
    turns = subject.task.turns
    last = subject.steps[-1]
    if len(turns) != 1 or "answer" not in turns[0] or any(each.writes for each in subject.steps):
        return None
    answer = turns[0]["answer"]
    if last.fails or not _distinctive(answer) or isinstance(answer, (list, dict)):
        return None
    if (turns[0].get("answer_rests_on") or [0])[-1] != last.number:
        return None
    for step in subject.steps[:-1]:
        if not step.fails and str(answer) in _leaves(step.outcome) and _is_one(step.outcome):
            return step.number
    return None


def _is_one(outcome: Any) -> bool:
    """Whether a result is about one thing: no list of several."""
    return not isinstance(outcome, list) or len(outcome) == 1


def _direct(subject: Subject, tool: str) -> Move | None:
    """A single call of a tool, with what the prompt offers, that tells the answer."""
    for arguments in _few(subject, tool):
        episode = subject.environment.episode(subject.task)
        observation = episode.call(tool, arguments)
        if episode.trace[-1].status == "ok" and _tells_all(subject, observation):
            return Move(tool, arguments)
    return None


def _few(
    subject: Subject, tool: str, most: int = 5, pool: Pool | None = None
) -> list[dict[str, Any]]:
    random = subject.random(f"few {tool}")
    found = (_arguments(subject, tool, random, pool) for _ in range(most))
    unique = {canonical(each): each for each in found if each is not None}
    return list(unique.values())


def _tells_all(subject: Subject, observation: str) -> bool:
    """Whether one call's result is the answer, or has it as a field, in a task that asks for
    nothing else and whose answer is not found by chance."""
    turns = subject.task.turns
    if len(turns) != 1 or "answer" not in turns[0] or any(step.writes for step in subject.steps):
        return False
    answer = turns[0]["answer"]
    if any(step.fails for step in subject.steps):
        return False
    found = json.loads(observation)
    if found == answer:
        return answer not in (True, False, None)
    return _distinctive(answer) and isinstance(found, dict) and answer in found.values()


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
        for chosen in product(candidates, repeat=size):
            if [turn for turn, _ in chosen] != sorted(turn for turn, _ in chosen):
                continue
            if tried >= MOST_EPISODES:
                return unknown(f"{tried} shorter episodes do not reach 1; there are more")
            tried += 1
            script = with_moves(subject.reference, list(chosen))
            if subject.play(script).verdict.reward >= FULL:
                return refuted(f"{size} of {len(moves)} calls earn 1", script)
    return proved(f"none of {tried} shorter episodes earns 1")


def _moves(subject: Subject, tool: str) -> list[Move]:
    return [Move(tool, arguments) for arguments in _few(subject, tool, 2)]


# ---------------------------------------------------------------- no shotgun


def no_shotgun(subject: Subject) -> Finding:
    """With all calls made, a text that says too much does not pass the answer."""
    if not subject.answers:
        return proved("no answer is asked for")
    tried = 0
    for turn in subject.answers:
        answer = subject.task.turns[turn]["answer"]
        if isinstance(answer, list) and len(answer) > 2 and _is_all(subject, answer):
            return refuted("the answer is all that there is: to list everything is right")
        for what, text in _shots(subject, turn):
            tried += 1
            script = with_texts(subject.reference, {turn: text})
            if subject.play(script).verdict.reward >= FULL:
                return refuted(f"a final text that {what} passes", script)
    return proved(f"none of {tried} texts that list, negate or copy passes")


def _is_all(subject: Subject, answer: list[Any]) -> bool:
    """Whether a list holds every key of a table."""
    wanted = sorted(map(canonical, answer))
    tables = subject.shared.keys.tables.values()
    return any(
        len(keys) == len(wanted) and sorted(map(canonical, keys)) == wanted for keys in tables
    )


def _shots(subject: Subject, turn: int) -> Iterator[tuple[str, str]]:
    line = subject.task.turns[turn]
    answer = line["answer"]
    stated = canonical(answer) if isinstance(answer, (dict, list, bool)) else str(answer)
    made = sum(len(each.moves) for each in subject.reference[: turn + 1])
    results = [json.loads(text) for text in subject.solved.observations[:made]]
    if isinstance(answer, bool):
        yield "says yes and no", "Yes. No."
    else:
        yield "negates the answer", f"It is not {stated}."
    listed = _candidates(answer, line.get("answer_candidates") or (), results)
    if len(listed) > len(_leaves(answer)):
        yield "lists every candidate", "It is one of these: " + "; ".join(listed)
    if not any(_is_little_more(each, answer) for each in [results, *results]):
        yield "copies all results", "\n".join(subject.solved.observations[:made])
    yield "lists answers on its last line", f'Answer: [{canonical(answer)}, 0, "x", true, false]'


def _is_little_more(result: Any, answer: Any) -> bool:
    """Whether to copy a result is to give the answer: it holds that alone, or is a short text."""
    if isinstance(result, str) and isinstance(answer, str):
        return literals.holds(result, answer) and len(result) <= 2 * len(answer) + 20
    return _leaves(result) == _leaves(answer)


def _candidates(answer: Any, known: Sequence[str], results: Sequence[Any]) -> list[str]:
    """What somebody lists who does not know the answer: the values that it could be, and those of
    the results that stand in fields like its own."""
    wanted = _leaves(answer)
    fields = list(_fields(results))
    names = {name for name, value in fields if value in wanted}
    found = [*wanted, *known, *(value for name, value in fields if name in names)]
    numbers = [each for each in wanted if literals.number(each) is not None]
    if len(numbers) == len(wanted) > 0:
        found.append(str(float(numbers[0]) * 1.01 + 7))
    return list(dict.fromkeys(found))


def _fields(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Every scalar of a value with the name of the innermost field that it is in."""
    if isinstance(value, dict):
        for label, inner in value.items():
            yield from _fields(inner, label)
    elif isinstance(value, list):
        for inner in value:
            yield from _fields(inner, name)
    elif value is not None and not isinstance(value, bool):
        yield name, str(value)


def _leaves(value: Any) -> list[str]:
    return [leaf for _, leaf in _fields(value)]


# ---------------------------------------------------------------- no luck


def no_luck(subject: Subject) -> Finding:
    """Careless callers earn little, and everything only as often as chance has it."""
    rewards = []
    for number in range(CALLERS):
        played = _random_caller(subject, subject.random(f"caller {number}"))
        rewards.append(played.verdict.reward)
    script = _everything(subject)
    everything = subject.play(script).verdict.reward
    if everything > LUCK:
        return refuted(f"calling everything earns {everything:.3g}", script)
    if {check.group for check in subject.solved.verdict.checks if check.kind == "goal"} == {
        "steps"
    }:
        flooded = _flooded(subject, script)
        if flooded is not None and subject.play(flooded).verdict.reward >= FULL:
            return refuted("to call everything is enough: superfluous calls cost nothing", flooded)
    mean = sum(rewards) / len(rewards)
    full = sum(reward >= FULL for reward in rewards)
    chance = 0.5 if subject.idle else (1 / len(subject.offered)) ** len(subject.steps)
    if mean > LUCK and chance < 1:
        return refuted(f"{CALLERS} random callers earn {mean:.3g} on average")
    if full > _plausible(chance):
        return refuted(f"{full} of {CALLERS} random callers earn everything")
    return proved(
        f"{CALLERS} random callers earn {mean:.2f} on average, calling everything {everything:.2f}"
    )


def _flooded(subject: Subject, everything: Script) -> Script | None:
    """The plan after many calls, where it writes nothing. Tools of other environments write to a
    state of their own."""
    writing = {name for name, tool in subject.environment.tools.items() if tool.writes}
    idle = [move for move in everything[0].moves if move.tool not in writing]
    if not idle or any(step.writes for step in subject.steps):
        return None
    first, *rest = subject.reference
    several = tuple(islice(cycle(idle), MOST_CALLS))
    return (first._replace(moves=(*several, *first.moves)), *rest)


def _plausible(chance: float) -> int:
    """The most successes that are no surprise (p > 0.001)."""
    tail = 0.0
    for successes in range(CALLERS, 0, -1):
        ways = comb(CALLERS, successes)
        tail += ways * chance**successes * (1 - chance) ** (CALLERS - successes)
        if tail > 0.001:
            return successes
    return 0


def _random_caller(subject: Subject, random: Random) -> Played:
    turns = []
    count = max(1, len(subject.steps))
    for number, _ in enumerate(subject.task.turns):
        moves = []
        for _ in range(random.randint(1, count + 1)):
            tool = random.choice(subject.offered)
            moves.append(Move(tool, _arguments(subject, tool, random, subject.guesses) or {}))
        turns.append(Turn(tuple(moves), _guess(subject, number, random)))
    return subject.play(tuple(turns))


def _guess(subject: Subject, turn: int, random: Random) -> str:
    line = subject.task.turns[turn]
    texts = [*(line.get("answer_candidates") or ()), *subject.pool.texts, "0", "1", "yes", "no"]
    return f"Answer: {random.choice(texts)}"


def _everything(subject: Subject) -> Script:
    moves = [
        Move(tool, arguments)
        for tool in subject.offered
        for arguments in (_few(subject, tool, 6, subject.guesses) or [{}])
    ]
    several = tuple(islice(moves, MOST_CALLS))
    return tuple(Turn(several, _all_said(subject, turn)) for turn in range(len(subject.task.turns)))


def _all_said(subject: Subject, turn: int) -> str:
    return "\n".join(text for _, text in _shots(subject, turn)) if turn in subject.answers else ""
