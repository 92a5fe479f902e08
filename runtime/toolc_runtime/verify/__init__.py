'''Verdicts on episodes: goals and guards, each a check with a value, and the reward they make.

A verifier is a pure function of a task and an episode. It never raises. As emitted::

    def cancel_twice(episode: Episode, task: Task) -> Verdict:
        """A second cancellation is refused."""
        o = task.bindings["o"]
        run = match(episode, task)
        goals = [
            *steps(run),
            state(run, ignore=["orders.payments.at"]),
            check(
                "is_cancelled",
                lambda: episode.state.orders[o["order_id"]]["status"] == "cancelled",
            ),
            answer(run),
        ]
        guards = [
            unchanged(run, ["products"]),
            constraint(run, "calls <= 4", lambda seen: seen.calls <= 4),
        ]
        return solve_f1(run, goals, guards)

The runtime calls it through `judge(verifier, episode, task)`.

Matching
    match(episode, task) -> Run         calls set against the plan's steps, once for all checks
    planned(run, index)                 the result (or failure) of the plan's step, as a JSON value,
                                        with this episode's fresh ids; `index` over all turns
    state_after(run, turn)              the episode's state at the end of a turn (for checks that
                                        stand inside a turn)

Goals (`kind` "goal")
    steps(run, turn=None) -> list[Check]    one check a step; of one turn, or of all
    state(run, ignore=(), turn=None)        the final state equals the plan's; `ignore` holds
                                            `table`, `table.field.path` or a scalar's name
    answer(run, turn=None, unordered=False, within=0)
                                            the answer of that turn; None: of the last turn with one
    check(name, holds, description="")      `holds` is called without arguments; false, and a
                                            failure while it runs, give 0; a number is taken as the
                                            value itself, held to 0..1
    called(run, tool, arguments={}, times=None, turn=None)
                                            at least one call that contains these arguments, or
                                            exactly `times`
    All but `steps` take `weight=1`.

Guards (`kind` "guard")
    never(run, tool, arguments={}, turn=None)
    unchanged(run, names, turn=None)        tables and scalars by name
    order(run, turn=None)                   the plan's partial order
    constraint(run, source, holds, turn=None)
                                            `holds(seen)`, where `seen` is a `Seen`: calls, turns,
                                            refused, rejected, parallel, tools_used, text, words,
                                            characters, lines, paragraphs, bullets, and
                                            `calls_of(tool)`
    invariant(run, name, holds, reads)      `holds(state)`; asked of the state after every call that
                                            wrote one of `reads`
    no_call(run, turn=None)                 for turns of `plan none`

Rewards, each `(run, goals, guards) -> Verdict`
    solve_f1, solve_precision, solve_rate, binary, ftrl_step
    weighted(run, goals, guards, lambda goal: 0.7 * goal("steps") + 0.3 * goal("answer"))

For the compiler
    encode_writes(writes), encode_changes(changes)     what a step's `writes` and a task's `state`
                                                       hold in scenarios.jsonl, from the runtime's

What verification reads
    of a task: `bindings`, `kind`, `turns`, `state`, `fresh`, `system` as in scenarios.jsonl. Step
    indexes (`after`, `answer_rests_on`) count over all turns, from 0. `turns[k]["state"]` holds the
    plan's changes up to the end of turn k where a `state` check stands inside that turn.
    `turns[k]["answer_type"]` is the answer's type as a spec writes it: decimals are text in JSON.
    `turns[k]["answer_candidates"]` may list other texts that the answer could have been (the
    other values of its enum, the other keys of its table): found in prose, they make it wrong.
    of an episode: see `record.Episode` and `record.Call`.
'''

from toolc_runtime.verify.changes import encode_changes, encode_writes
from toolc_runtime.verify.checks import (
    answer,
    called,
    check,
    constraint,
    invariant,
    never,
    no_call,
    order,
    state,
    steps,
    unchanged,
)
from toolc_runtime.verify.matching import match
from toolc_runtime.verify.rewards import (
    binary,
    ftrl_step,
    judge,
    solve_f1,
    solve_precision,
    solve_rate,
    weighted,
)
from toolc_runtime.verify.run import Run, planned, state_after
from toolc_runtime.verify.seen import Seen
from toolc_runtime.verify.verdict import Check, Verdict

__all__ = [
    "Check",
    "Run",
    "Seen",
    "Verdict",
    "answer",
    "binary",
    "called",
    "check",
    "constraint",
    "encode_changes",
    "encode_writes",
    "ftrl_step",
    "invariant",
    "judge",
    "match",
    "never",
    "no_call",
    "order",
    "planned",
    "solve_f1",
    "solve_precision",
    "solve_rate",
    "state",
    "state_after",
    "steps",
    "unchanged",
    "weighted",
]
