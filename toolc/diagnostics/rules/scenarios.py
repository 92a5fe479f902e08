"""TC06: what running the scenarios found."""

from __future__ import annotations

from toolc.diagnostics.rule import Rule

_SPEC = """\
toolc 1
environment towns "Towns and how many people live there." version "1.0"
record Town { name: str, people: int, mayor: str? = null, visits: int = 0 }
table towns[name]: Town = [
  {name: "Ulm", people: 128_928},
  {name: "Trier", people: 112_195},
]
invariant inhabited "Every town has people.": all(t.people > 0 for t in towns)
tool get_people "How many people live in a town." (
  town: str(max_length: 20) "Name of the town.",
) -> int {
  let row = towns[town] else fail "unknown town: {town}"
  return row.people
}
tool find_towns "The towns with at most so many people." (people: int) -> list[str] {
  return [t.name for t in towns if t.people <= people]
}
tool visit "Count a visit to a town." (town: str) -> int {
  require town in towns else fail "unknown town: {town}"
  towns[town].visits += 1
  return towns[town].visits
}
"""


def _spec(*lines: str) -> str:
    return _SPEC + "".join(f"{line}\n" for line in lines)


def _asked(*clauses: str, family: str = "") -> str:
    return _spec(
        f"scenario people{family} {{",
        '  user "How many people live in Ulm?"',
        *(f"  {clause}" for clause in clauses),
        "}",
    )


_STEP = 'step "In Ulm?" let people = get_people(town: "Ulm")'
_GOOD = _asked(f"plan {{ {_STEP} }}", "answer people")
_FAMILY_GOOD = _spec(
    "scenario people for t in towns if t.people > 100_000 sample 2 {",
    '  user "How many people live in {t.name}?"',
    '  plan { step "How many?" let people = get_people(town: t.name) }',
    "  answer people",
    "}",
)

RULES: tuple[Rule, ...] = (
    Rule(
        "TC0601",
        "step fails",
        "`{tool}` fails here: {failure}",
        "The compiler runs every plan: what its steps give is what a model is expected to find. "
        "This step fails, so the task has no solution as written. Mend the arguments, the data "
        "or the tool; a refusal that is meant is written `fails`.",
        _asked('plan { step "In Ulm?" let people = get_people(town: "Ulme") }', "answer people"),
        _GOOD,
    ),
    Rule(
        "TC0602",
        "step does not fail",
        "`{tool}` was to fail, but gives {result}",
        "A step that ends in `fails` expects the tool to refuse. This one succeeds.",
        _asked('plan { step "Not known." get_people(town: "Ulm") fails }'),
        _asked('plan { step "Not known." get_people(town: "Ulme") fails }'),
    ),
    Rule(
        "TC0603",
        "step fails otherwise",
        "`{tool}` was to fail with {expected}, but fails with {failure}",
        "`fails with` states the exact failure that the model is to read.",
        _asked('plan { step "Not known." get_people(town: "Ulme") fails with "unknown town" }'),
        _asked(
            'plan { step "Not known." get_people(town: "Ulme") fails with "unknown town: Ulme" }'
        ),
    ),
    Rule(
        "TC0604",
        "step gives another value",
        "`{tool}` was to give {expected}, but gives {result}",
        "`==` after a step states what is known beforehand. The tool gives something else: the "
        "data, the tool or the statement is wrong.",
        _asked(f"plan {{ {_STEP} == 128_000 }}", "answer people"),
        _asked(f"plan {{ {_STEP} == 128_928 }}", "answer people"),
    ),
    Rule(
        "TC0605",
        "step breaks the tool's schema",
        "the call of `{tool}` is refused: {reason}",
        "A plan calls tools as a model does, through the schema. Arguments that the schema "
        "refuses never reach the tool.",
        _asked("plan { step get_people(town: \"the imperial city of {'Ulm'}\") }"),
        _asked("plan { step get_people(town: \"{'Ulm'}\") }"),
    ),
    Rule(
        "TC0606",
        "family matches nothing",
        "no member of the family meets the condition",
        "A family gives a task for each member that its condition accepts. None is accepted, so "
        "the scenario has no task.",
        _FAMILY_GOOD.replace("> 100_000", "> 900_000"),
        _FAMILY_GOOD,
    ),
    Rule(
        "TC0607",
        "family is smaller than its sample",
        "the sample is {sample}, but the family has {found}",
        "`sample N` takes N members of a family. There are fewer, and all of them are taken.",
        _FAMILY_GOOD.replace("sample 2", "sample 5"),
        _FAMILY_GOOD,
        "warning",
    ),
    Rule(
        "TC0608",
        "empty answer",
        "the answer is {answer}",
        "An answer of null, an empty text or an empty list is seldom what was meant, and easily "
        "guessed. Perhaps a condition in the plan or in the tool matches nothing.",
        _asked('plan { step "Which?" let found = find_towns(people: 1) }', "answer found"),
        _asked('plan { step "Which?" let found = find_towns(people: 120_000) }', "answer found"),
        "warning",
    ),
    Rule(
        "TC0609",
        "scenario without a goal",
        "nothing in this scenario can be achieved: it has no goal",
        "Reward is for goals: steps, an answer, a state, a check, a call. This scenario has "
        "guards at most. Give it a plan, or a goal in `verify`; where calling nothing is right, "
        "say `plan none`.",
        _asked(f"plan {{ {_STEP} }}", "verify only { constraint calls <= 4 }"),
        _GOOD,
    ),
    Rule(
        "TC0610",
        "plan misses the full reward",
        "the plan itself gets a reward of {reward}, not 1: {reasons}",
        "After building, the compiler plays every plan against its own verifier. A reference "
        "solution that does not get the whole reward shows checks, limits or constraints that "
        "no model can meet.",
        _asked(
            f"plan {{ {_STEP} }}",
            "answer people",
            'verify { check visited: towns["Ulm"].visits == 1 }',
        ),
        _spec(
            "scenario visit_once {",
            '  user "Please visit Ulm once."',
            '  plan { step "Visit." visit(town: "Ulm") }',
            '  verify { check visited: towns["Ulm"].visits == 1 }',
            "}",
        ),
    ),
    Rule(
        "TC0611",
        "goal met at the start",
        "`{goal}` is met before anything is done",
        "A goal that holds at the start pays those who do nothing for it. State what the plan "
        "brings about; what shall stay as it is belongs in a guard such as `unchanged`.",
        _asked(f"plan {{ {_STEP} }}", 'verify { check small: towns["Ulm"].people < 200_000 }'),
        _asked(f"plan {{ {_STEP} }}", "verify { unchanged [towns] }"),
        "warning",
    ),
    Rule(
        "TC0612",
        "same prompt, different answers",
        "tasks `{first}` and `{second}` have the same prompt, but different answers",
        "A model that reads the same question cannot know which answer is meant. Name in the "
        "prompt what tells the tasks of this family apart.",
        _FAMILY_GOOD.replace("live in {t.name}?", "live in that town?"),
        _FAMILY_GOOD,
        "warning",
    ),
    Rule(
        "TC0613",
        "scenario's expression fails",
        "{what} fails: {failure}",
        "A text, a condition, an argument, an answer or a `given` of a scenario is worked out "
        "when it is compiled. This one fails, as it would in a tool.",
        _asked(f"plan {{ {_STEP} }}", 'answer towns["Ulme"].people'),
        _GOOD,
    ),
    Rule(
        "TC0614",
        "invariant does not hold",
        "invariant `{name}` does not hold {when}",
        "An invariant holds in the data as given, after a scenario's `given`, and after every "
        "call of a plan.",
        _asked('given { towns["Ulm"].people = 0 }', f"plan {{ {_STEP} }}"),
        _asked('given { towns["Ulm"].people = 100 }', f"plan {{ {_STEP} }}"),
    ),
    Rule(
        "TC0615",
        "distractors from other environments",
        "no distractors can come from `{name}`: {reason}",
        "`distractors N from [names]` draws N tools of other environments that are compiled "
        "together with this one, and that have no errors. Without `from`, they are tools of this "
        "environment that `tools [...]` left out.",
        _asked(
            f"plan {{ {_STEP} }}",
            "answer people",
            "tools [get_people] distractors 1 from [villages]",
        ),
        _asked(f"plan {{ {_STEP} }}", "answer people", "tools [get_people] distractors 1"),
    ),
    Rule(
        "TC0616",
        "too few distractors",
        "{wanted} distractors are asked for, but there are only {found}",
        "`distractors N` adds N tools of this environment that `tools [...]` left out, or of the "
        "environments after `from`, whose names this environment does not have. `tools "
        "all` leaves none out.",
        _asked(f"plan {{ {_STEP} }}", "answer people", "tools [get_people] distractors 5"),
        _asked(f"plan {{ {_STEP} }}", "answer people", "tools [get_people] distractors 1"),
        "warning",
    ),
    Rule(
        "TC0617",
        "plan uses a tool that is not offered",
        "the plan calls `{tool}`, which `tools` does not offer",
        "The model is offered the tools of the `tools` clause alone; the plan may use no other.",
        _asked(f"plan {{ {_STEP} }}", "answer people", "tools [visit]"),
        _asked(f"plan {{ {_STEP} }}", "answer people", "tools [visit, get_people]"),
    ),
)
