"""The gate of luck: who is careless earns little."""

from __future__ import annotations

from itertools import cycle, islice
from math import comb
from random import Random

from toolc.audit import calls
from toolc.audit.finding import Finding, proved, refuted
from toolc.audit.pool import Pool
from toolc.audit.script import Move, Played, Script, Turn, flat, with_moves
from toolc.audit.shotgun import shots
from toolc.audit.subject import FULL, Subject

LUCK = 0.6
"""The most that careless callers may earn on average, beside what they find by chance where there
are few tools to choose from."""

CALLERS = 6
MOST_CALLS = 24
MOST_OF_A_TOOL = 32
"""Calls of one tool, of all that can be put together, that a flood has."""

HALF = 0.49
"""The chance from which on one who does not read the prompt earns everything too often."""

SUPERFLUOUS = 6
"""Calls beside the plan's from which on a caller asks for everything."""


def no_luck(subject: Subject) -> Finding:
    """Careless callers earn little, and everything only as often as chance has it."""
    rewards = []
    for number in range(CALLERS):
        played = _random_caller(subject, subject.random(f"caller {number}"))
        rewards.append(played.verdict.reward)
    script = _everything(subject)
    everything = subject.play(script).verdict.reward
    chance = 0.5 if subject.idle else (1 / len(subject.offered)) ** len(subject.steps)
    lucky = LUCK if subject.idle else LUCK + (1 - LUCK) * chance
    if everything > lucky or everything >= FULL:
        return refuted(f"calling everything earns {everything:.3g}", script)
    blind = _blindly(subject)
    if blind > HALF:
        return refuted(f"{blind:.0%} of the calls that need no prompt earn everything")
    flood = _flood(subject)
    if flood and all(subject.play(each).verdict.reward >= FULL for each in flood):
        return refuted("to call everything that can be asked for is enough", flood[0])
    if {check.group for check in subject.solved.verdict.checks if check.kind == "goal"} == {
        "steps"
    }:
        flooded = _flooded(subject, script)
        if flooded is not None and subject.play(flooded).verdict.reward >= FULL:
            return refuted("to call everything is enough: superfluous calls cost nothing", flooded)
    mean = sum(rewards) / len(rewards)
    full = sum(reward >= FULL for reward in rewards)
    if mean > lucky and chance < 1:
        return refuted(f"{CALLERS} random callers earn {mean:.3g} on average")
    if full > _plausible(chance):
        return refuted(f"{full} of {CALLERS} random callers earn everything")
    return proved(
        f"{CALLERS} random callers earn {mean:.2f} on average, calling everything {everything:.2f}"
    )


def _blindly(subject: Subject) -> float:
    """How often one call of a tool on offer, by one who knows the schemas alone, is the whole task.
    What a schema does not list cannot be given."""
    if len(subject.steps) != 1 or subject.answers:
        return 0
    nothing = Pool("", subject.shared.keys)
    shares = []
    turn = subject.steps[0].turn
    for tool in subject.offered:
        made = calls.every(subject, tool, MOST_OF_A_TOOL, nothing)
        hits = 0
        for arguments in made:
            script = with_moves(subject.reference, [(turn, Move(tool, arguments))])
            hits += subject.play(script).verdict.reward >= FULL
        shares.append(hits / max(1, len(made)))
    return sum(shares) / len(shares)


def _flooded(subject: Subject, everything: Script) -> Script | None:
    """The plan after many calls, where it writes nothing."""
    idle = [move for move in everything[0].moves if not subject.shared.writes(move.tool)]
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
            moves.append(Move(tool, calls.drawn(subject, tool, random, subject.guesses) or {}))
        turns.append(Turn(tuple(moves), _guess(subject, number, random)))
    return subject.play(tuple(turns))


def _guess(subject: Subject, turn: int, random: Random) -> str:
    line = subject.task.turns[turn]
    texts = [*(line.get("answer_candidates") or ()), *subject.pool.texts, "0", "1", "yes", "no"]
    return f"Answer: {random.choice(texts)}"


def _everything(subject: Subject) -> Script:
    moves = (
        Move(tool, arguments)
        for tool in subject.offered
        for arguments in (calls.few(subject, tool, 6, subject.guesses) or [{}])
    )
    several = tuple(islice(moves, MOST_CALLS))
    return tuple(Turn(several, _all_said(subject, turn)) for turn in range(len(subject.task.turns)))


def _flood(subject: Subject) -> list[Script]:
    """Every call that the prompt and the schemas allow, as far as there are not too many, from the
    first and from the last. None where they are hardly more than the plan's, or where some of them
    beside the plan already cost reward."""
    made = (
        Move(tool, arguments)
        for tool in subject.offered
        for arguments in calls.every(subject, tool, MOST_OF_A_TOOL)
    )
    enough = len(subject.steps) + SUPERFLUOUS
    some = tuple(islice(made, enough))
    if subject.idle or len(some) < enough or not _is_free(subject, some):
        return []
    moves = (*some, *made)
    texts = [_all_said(subject, turn) for turn in range(len(subject.task.turns))]
    return [tuple(Turn(several, text) for text in texts) for several in (moves, moves[::-1])]


def _is_free(subject: Subject, moves: tuple[Move, ...]) -> bool:
    """Whether the plan earns as much with these calls after it."""
    last = len(subject.task.turns) - 1
    after = [*flat(subject.reference), *((last, move) for move in moves)]
    return subject.play(with_moves(subject.reference, after)).verdict.reward >= FULL


def _all_said(subject: Subject, turn: int) -> str:
    return "\n".join(text for _, text in shots(subject, turn)) if turn in subject.answers else ""
