"""TC065: scenarios, as a spec writes them."""

from __future__ import annotations

from toolc.diagnostics.rule import Rule
from toolc.diagnostics.rules.sample import scenario

_USER = 'user "How long is Emma?"'
_PLAN = 'plan { step let pages = get_pages(title: "Emma") }'

RULES: tuple[Rule, ...] = (
    Rule(
        "TC0652",
        "clauses beside turns",
        "with `turn` blocks, `user` and `plan` stand inside them",
        "A scenario is either one exchange, or a list of turns.",
        scenario(_USER, 'turn { user "How long is it?" plan none }'),
        scenario('turn { user "How long is it?" plan none }'),
    ),
    Rule(
        "TC0653",
        "clause given twice",
        "this clause stands here twice",
        "A scenario or a turn has each of its clauses once.",
        scenario(_USER, _USER, _PLAN),
        scenario(_USER, _PLAN),
    ),
    Rule(
        "TC0654",
        "not a count",
        "a positive whole number is needed",
        "Counts are whole numbers, 1 or more (distractors and limits 0 or more).",
        scenario(_USER, _PLAN, "verify { called get_pages() times 0 }"),
        scenario(_USER, _PLAN, "verify { called get_pages() times 1 }"),
    ),
    Rule(
        "TC0655",
        "clause out of place",
        "this clause belongs to the scenario, not to a turn",
        "A turn holds `user`, `given`, `plan`, `answer`, `reply` and `verify`.",
        scenario("turn {", f"  {_USER}", f"  {_PLAN}", "  limits { calls: 2 }", "}"),
        scenario("turn {", f"  {_USER}", f"  {_PLAN}", "}", "limits { calls: 2 }"),
    ),
    Rule(
        "TC0656",
        "no user message",
        "there is no `user` message",
        "A task begins with what the user says.",
        scenario(_PLAN),
        scenario(_USER, _PLAN),
    ),
    Rule(
        "TC0657",
        "no plan",
        "there is no `plan`",
        "The plan is the ground truth of a task. Where the right behaviour is to call nothing, "
        "write `plan none`.",
        scenario(_USER),
        scenario(_USER, "plan none"),
    ),
    Rule(
        "TC0658",
        "empty plan",
        "this plan has no steps",
        "A plan has steps; where the right behaviour is to call nothing, write `plan none`.",
        scenario(_USER, "plan { }"),
        scenario(_USER, "plan none"),
    ),
    Rule(
        "TC0660",
        "unknown tool",
        "there is no tool `{name}`",
        "Plans, toolsets and checks name tools of this environment.",
        scenario(_USER, 'plan { step get_page(title: "Emma") }'),
        scenario(_USER, 'plan { step get_pages(title: "Emma") }'),
    ),
    Rule(
        "TC0661",
        "declared tool in a plan",
        "`{name}` has no body yet, so no plan can call it",
        "A declared tool is a stage of generation; a plan needs its body.",
        scenario(_USER, 'plan { step get_rating(title: "Emma") }'),
        scenario(_USER, 'plan { step get_pages(title: "Emma") }'),
    ),
    Rule(
        "TC0662",
        "name for a refusal",
        "`{name}` would name the result of a step that fails",
        "A step that is expected to fail has no result.",
        scenario(_USER, 'plan { step let pages = get_pages(title: "Ema") fails }'),
        scenario(_USER, 'plan { step get_pages(title: "Ema") fails }'),
    ),
    Rule(
        "TC0663",
        "unknown limit",
        "there is no limit `{name}`",
        "Limits are `calls`, the calls of the whole episode, and `turns`, the model's messages.",
        scenario(_USER, _PLAN, "limits { call: 2 }"),
        scenario(_USER, _PLAN, "limits { calls: 2 }"),
    ),
    Rule(
        "TC0664",
        "unknown goal or reward",
        "there is no reward or goal `{name}`",
        "A reward is a named one, or an expression over the scenario's goals: `steps`, `state`, "
        "`answer` and its checks by name.",
        scenario(_USER, _PLAN, "reward 0.5 * step"),
        scenario(_USER, _PLAN, "reward 0.5 * steps"),
    ),
    Rule(
        "TC0665",
        "not a path",
        "an ignored path is a table or a state, then fields",
        "`state ignore [orders.payments.at]` leaves that field out of the comparison, in every "
        "row and through lists.",
        scenario(_USER, _PLAN, "verify { state ignore [books[0]] }"),
        scenario(_USER, _PLAN, "verify { state ignore [books.rating] }"),
    ),
    Rule(
        "TC0666",
        "check that cannot fail",
        "this check cannot fail: {why}",
        "A check tells a solved task from an unsolved one; one that no call can break says "
        "nothing.",
        scenario(_USER, _PLAN, "verify { check sure: true }"),
        scenario(_USER, _PLAN, "verify { check none_lent: lent == 0 }"),
        "warning",
    ),
    Rule(
        "TC0667",
        "too long a plan",
        "a scenario has at most {limit} steps, and as many turns",
        "Every step may use what those before it gave, so that the work grows with their square.",
        scenario(_USER, "plan { " + 'step get_pages(title: "Emma") ' * 301 + "}"),
        scenario(_USER, _PLAN),
    ),
    Rule(
        "TC0668",
        "not a tool's calls",
        "`calls(…)` takes the name of one tool",
        "In a constraint, `calls` is the number of all calls, `calls(get_pages)` that of one tool.",
        scenario(_USER, _PLAN, 'verify { constraint calls("get_pages") <= 2 }'),
        scenario(_USER, _PLAN, "verify { constraint calls(get_pages) <= 2 }"),
    ),
    Rule(
        "TC0669",
        "check without a weight",
        "`{kind}` has no weight",
        "Goals beside the steps may have a weight, relative to a step, which has 1 as a call has. "
        "Guards multiply the reward.",
        scenario(_USER, _PLAN, "verify { order weight 2 }"),
        scenario(_USER, _PLAN, "verify { called get_pages() weight 2 }"),
    ),
    Rule(
        "TC0670",
        "weight out of range",
        "a weight is above 0 and at most {limit}",
        "A goal of no weight is none; leave it out.",
        scenario(_USER, _PLAN, "verify { called get_pages() weight 0 }"),
        scenario(_USER, _PLAN, "verify { called get_pages() weight 0.5 }"),
    ),
    Rule(
        "TC0671",
        "name that a constraint takes otherwise",
        "`{name}` means {what} here, not the name of the scenario",
        "A constraint has names of its own: `calls`, `turns`, `text` and so on. Name the step's "
        "result otherwise to use it there.",
        scenario(
            _USER,
            'plan { step let lines = get_pages(title: "Emma") }',
            "verify { constraint lines <= 9 }",
        ),
        scenario(
            _USER,
            'plan { step let pages = get_pages(title: "Emma") }',
            "verify { constraint lines <= 9 }",
        ),
        "warning",
    ),
)
