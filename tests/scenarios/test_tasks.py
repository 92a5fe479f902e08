"""Tasks made from a spec: what their lines hold, and that a build plays them alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.specs import compile_text, load_built, tasks_of
from toolc.build import Built
from toolc.emit.closed import prove_source
from toolc.scenarios.player import replay
from toolc_runtime import Environment, Episode
from toolc_runtime.values import canonical
from toolc_runtime.verify import Verdict

LIBRARY = Path(__file__).with_name("library.toolc")


@cache
def library() -> Built:
    return compile_text(LIBRARY.read_text(encoding="utf-8"))


def steps(name: str) -> list[dict[str, Any]]:
    return [step for turn in tasks_of(library())[name]["turns"] for step in turn["steps"]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return load_built(library(), tmp_path_factory.mktemp("library"), "library")


def play(episode: Episode, act: Callable[[Episode, dict[str, Any]], None] | None = None) -> Verdict:
    """Plays the plan; `act` may make each call in another way."""
    assert episode.task is not None
    outcome: str | Verdict = ""
    for turn in episode.task.turns:
        for step in turn["steps"]:
            if act is None:
                episode.call(step["tool"], step["arguments"])
            else:
                act(episode, step)
        outcome = episode.reply(f"Answer: {canonical(turn.get('answer'))}")
    assert isinstance(outcome, Verdict)
    return outcome


# ---------------------------------------------------------------- lines


def test_tasks_of_a_family_are_named_by_key() -> None:
    assert list(tasks_of(library())) == [
        "lend_one:Emma",
        "lend_one:Dune",
        "late",
        "no_copies:r1",
        "no_copies:r2",
        "no_copies:r3",
        "room_seats:1,1",
        "room_seats:1,2",
        "price:Emma",
        "price:Dune",
        "bought",
        "two_loans",
        "two_prices",
        "weather",
    ]


def test_bindings_are_json() -> None:
    bindings = tasks_of(library())["lend_one:Emma"]["bindings"]
    assert bindings == {
        "b": {"title": "Emma", "copies": 2, "price": "9.50", "acquired": "2020-01-31"}
    }
    assert tasks_of(library())["no_copies:r2"]["bindings"]["id"] == "r2"


@pytest.mark.parametrize(
    ("task", "kind", "after"),
    [
        ("lend_one:Emma", "single_hop", [[]]),
        ("late", "multi_hop", [[], [0], [0, 1]]),
        ("two_loans", "multi_hop", [[], [0], [0, 1], [0, 1, 2]]),
        ("two_prices", "parallel_single_hop", [[], []]),
        ("weather", "none", []),
    ],
)
def test_dependencies_and_kind(task: str, kind: str, after: list[list[int]]) -> None:
    assert tasks_of(library())[task]["kind"] == kind
    assert [step["after"] for step in steps(task)] == after


READS_WITH_A_DEFAULT = """toolc 1
environment shelf "Cups."
table stock[sku]: {sku: str, held: int} = [{sku: "cup", held: 3}]
tool take "Take some." (sku: str, count: int) -> null {
  require (stock[sku].held ?? 0) >= count else fail "too few"
  stock[sku].held -= count
}
tool held "How many are left." (sku: str) -> int { return stock[sku].held ?? 0 }
scenario left "What is left." {
  user "Take 2 of 'cup', then tell me how many are left."
  plan {
    step take(sku: "cup", count: 2)
    step let left = held(sku: "cup")
  }
  answer left
}
"""


def test_a_read_with_a_default_is_a_read() -> None:
    [turn] = tasks_of(compile_text(READS_WITH_A_DEFAULT))["left"]["turns"]
    assert [step["after"] for step in turn["steps"]] == [[], [0]]


def test_difficulty_counts() -> None:
    assert tasks_of(library())["two_loans"]["difficulty"] == {
        "steps": 4,
        "depth": 4,
        "width": 1,
        "tools": 7,
        "arguments": 7,
    }


def test_a_step_holds_defaults_result_and_writes() -> None:
    (step,) = steps("lend_one:Emma")
    loan = step["result"]
    assert step["question"] == "Lend it."
    assert step["arguments"] == {"title": "Emma", "reader": "r1", "note": ""}
    assert loan["due"] == "2024-06-12T15:00:00"
    assert step["writes"]["books"] == {"Emma": {"#/copies": [2, 1]}}
    assert tasks_of(library())["lend_one:Emma"]["fresh"] == [loan["loan_id"]]


def test_arguments_that_the_result_hides_are_pinned() -> None:
    assert steps("lend_one:Emma")[0]["pinned"] == []
    assert steps("no_copies:r1")[0]["pinned"] == ["reader", "note"]
    assert steps("late")[2]["pinned"] == ["reader"]


def test_given_and_the_clock_before_the_first_turn() -> None:
    task = tasks_of(library())["late"]
    assert task["given"] == {"readers": {"r2": {"name": "Bob", "barred": True}}}
    assert task["clock"] == "2024-05-16T15:00:00"
    assert "clock" not in tasks_of(library())["bought"]


def test_given_and_advance_between_turns() -> None:
    first, second = tasks_of(library())["late"]["turns"]
    assert "given" not in first
    assert (second["given"], second["advance"]) == ({"lent_today": 0}, "P30D")
    assert second["steps"][0]["result"] == "late"


def test_a_turn_with_a_state_check_holds_the_state_at_its_end() -> None:
    first, second = tasks_of(library())["late"]["turns"]
    assert first["state"]["books"]["Emma"]["copies"] == 1
    assert "state" not in second


def test_answers_and_what_they_rest_on() -> None:
    turn = tasks_of(library())["late"]["turns"][1]
    assert (turn["answer"], turn["answer_rests_on"]) == (["late", "0"], [0, 1, 2])
    assert tasks_of(library())["price:Emma"]["turns"][0]["answer_type"] == "decimal"


def test_an_answer_that_is_a_key_has_the_other_keys_as_candidates() -> None:
    turn = tasks_of(library())["two_prices"]["turns"][0]
    assert turn["answer"] == "Ulysses"
    assert turn["answer_candidates"] == ["Emma", "Dune"]


CANDIDATES = """toolc 1
environment parks "Parks."
record Park { name: str, town: str, keeper: str }
table parks[name]: Park = [
  {name: "Au", town: "Ulm", keeper: "Ida"},
  {name: "Bug", town: "Trier", keeper: "Jon"},
  {name: "Col", town: "Ulm", keeper: "Kim"},
]
tool town_of "The town of a park." (park: str) -> str {
  return parks[park].town else fail "unknown park"
}
tool signs "What stands on the signs." (park: str) -> list[{text: str}] {
  require park in parks else fail "unknown park"
  return [{text: "{park} {word}"} for word in ["closed", "open", "wet"]]
}
scenario town {
  user "In which town is Au?"
  plan { step let town = town_of(park: "Au") }
  answer town
}
scenario sign {
  user "What does the first sign of Au say?"
  plan { step let found = signs(park: "Au") }
  answer first(found).text else fail "none"
}
"""


def test_an_answer_from_a_column_has_the_others_of_the_column_as_candidates() -> None:
    turn = tasks_of(compile_text(CANDIDATES))["town"]["turns"][0]
    assert (turn["answer"], turn["answer_candidates"]) == ("Ulm", ["Trier"])


def test_an_answer_from_a_result_has_the_others_of_the_result_as_candidates() -> None:
    turn = tasks_of(compile_text(CANDIDATES))["sign"]["turns"][0]
    assert turn["answer"] == "Au closed"
    assert turn["answer_candidates"] == ["Au open", "Au wet"]


REPLY = """toolc 1
environment pets "Pets."
record Pet { id: str, name: str }
table pets[id]: Pet = []
tool adopt "Adopt a pet." (name: str) -> Pet {
  let id = fresh_id("P", 6)
  insert {id: id, name: name} into pets
  return pets[id]
}
scenario letter {
  user "Please adopt Rex, and write me a line that begins with his id."
  plan { step let pet = adopt(name: "Rex") }
  answer pet.id
  @reply
  verify { constraint starts_with(text, pet.id) and lines == 1 }
}
"""


def test_a_reply_proves_constraints_on_the_text(tmp_path: Path) -> None:
    built = compile_text(REPLY.replace("@reply", 'reply "{pet.id} is yours."'))
    assert built.diagnostics == ()
    environment = load_built(built, tmp_path, "pets")
    for seed in (None, 5):
        episode = environment.episode("letter", seed=seed)
        assert replay(episode, environment.tasks["letter"]).reward == 1.0


def test_without_a_reply_the_plan_misses_the_full_reward() -> None:
    (found,) = compile_text(REPLY.replace("@reply", "")).diagnostics
    assert found.code == "TC0610"
    assert 'starts_with(text, pet.id) and lines == 1: the text is "Answer:' in found.message


def test_a_failure_is_the_value_itself() -> None:
    (step,) = steps("no_copies:r1")
    assert step["failure"] == {"error": "all copies are lent", "title": "Ulysses"}
    assert "result" not in step


def test_distractors_are_drawn_from_what_is_left_out() -> None:
    tools = tasks_of(library())["bought"]["tools"]
    assert len(tools) == 3
    assert "acquired" in tools
    assert tasks_of(library())["late"]["tools"] is None


def test_the_same_spec_gives_the_same_bytes() -> None:
    again = compile_text(LIBRARY.read_text(encoding="utf-8"))
    assert again.files == library().files


def test_no_warning() -> None:
    assert library().diagnostics == ()


def test_counts() -> None:
    assert library().summary == {
        "tools": 7,
        "scenarios": 9,
        "tasks": 14,
        "multi_hop": 2,
        "none": 1,
        "parallel_single_hop": 1,
        "single_hop": 10,
    }


@pytest.mark.parametrize("name", ["__init__.py", "tools.py", "verifiers.py", "trl_environment.py"])
def test_python_is_closed_and_as_black_has_it(name: str) -> None:
    assert prove_source(library().files[name].decode()) == []


# ---------------------------------------------------------------- rewards, as loaded


@pytest.mark.parametrize("task", list(tasks_of(library())))
def test_the_plan_earns_everything_and_silence_nothing(environment: Environment, task: str) -> None:
    verdict = play(environment.episode(task))
    assert verdict.reward == pytest.approx(1)
    idle = environment.episode(task).finish("")
    assert idle.scored
    assert idle.reward == (1 if task == "weather" else 0)


def test_the_plan_earns_everything_with_another_seed(environment: Environment) -> None:
    """Other fresh ids are drawn, and what is told of them is told of the episode's own."""
    episode = environment.episode("two_loans", seed=99)
    verdict = play(episode)
    assert set(episode.fresh).isdisjoint(tasks_of(library())["two_loans"]["fresh"])
    assert verdict.reward == pytest.approx(1)


def test_a_pinned_argument_must_be_right(environment: Environment) -> None:
    def act(episode: Episode, step: dict[str, Any]) -> None:
        episode.call(step["tool"], {**step["arguments"], "reader": "r2"})

    verdict = play(environment.episode("no_copies:r1"), act)
    assert verdict.reward == 0


def test_a_weighted_reward_pays_by_goal(environment: Environment) -> None:
    def act(episode: Episode, step: dict[str, Any]) -> None:
        episode.call(step["tool"], {**step["arguments"], "reader": "r2"})

    verdict = play(environment.episode("lend_one:Emma"), act)
    assert verdict.check("one_copy_less").value == 1  # type: ignore[union-attr]
    assert verdict.reward == pytest.approx(0.1)


def test_guards_multiply(environment: Environment) -> None:
    episode = environment.episode("lend_one:Emma")
    episode.call("find_book", {"title": "Emma"})
    episode.call("find_book", {"title": "Emma"})
    verdict = play(episode)
    assert [check.name for check in verdict.checks if check.value == 0] == [
        "calls <= 2",
        "if parallel > 1 then turns < 9 else turns <= 3",
    ]
    assert verdict.reward == 0


# ---------------------------------------------------------------- several findings

FAMILY = """\
toolc 1
environment numbers "Numbers." version "1.0"
tool double "Twice." (n: int) -> int {
  require n < 10 else fail "too large: {n}"
  return n * 2
}
"""


def test_findings_of_a_family_are_counted() -> None:
    built = compile_text(
        FAMILY
        + "scenario twice for n in range(20) {\n"
        + '  user "Twice {n}?"\n'
        + "  plan { step let m = double(n: n) }\n"
        + "  answer m\n"
        + "}\n"
    )
    assert [found.code for found in built.diagnostics] == ["TC0601"] * 3
    assert built.diagnostics[0].help == ("in task `twice:10`",)
    assert built.diagnostics[2].help == (
        "in task `twice:12`",
        "7 more tasks of this scenario have a finding",
    )


def test_alike_findings_are_one() -> None:
    built = compile_text(
        FAMILY
        + "scenario twice for n in range(20) {\n"
        + '  user "Twice {n}?"\n'
        + "  plan { step let m = double(n: 12) }\n"
        + "  answer m\n"
        + "}\n"
    )
    (found,) = built.diagnostics
    assert found.help == ("in task `twice:0` and 19 more",)


def test_a_later_scenario_is_judged_though_an_earlier_one_is_broken() -> None:
    built = compile_text(
        FAMILY
        + 'scenario a { user "?" plan { step let m = double(n: 12) } answer m }\n'
        + 'scenario b { user "?" plan { step let m = double(n: 1) == 3 } answer m }\n'
    )
    assert [found.code for found in built.diagnostics] == ["TC0601", "TC0604"]


def test_limits_that_the_plan_overruns_are_found() -> None:
    built = compile_text(
        FAMILY
        + "scenario two {\n"
        + '  user "Twice 1, and twice 2?"\n'
        + "  plan { step let a = double(n: 1) step let b = double(n: 2) }\n"
        + "  answer [a, b]\n"
        + "  limits { calls: 1 }\n"
        + "}\n"
    )
    (found,) = built.diagnostics
    assert (found.code, found.severity) == ("TC0610", "error")
    assert "step 2" in found.message


def test_a_plan_may_need_parallel_calls() -> None:
    built = compile_text(
        FAMILY
        + "scenario two {\n"
        + '  user "Twice 1, and twice 2?"\n'
        + "  plan { step let a = double(n: 1) step let b = double(n: 2) }\n"
        + "  answer [a, b]\n"
        + "  verify { constraint parallel == 2 }\n"
        + "}\n"
    )
    assert built.diagnostics == ()


# ---------------------------------------------------------------- names

CLASHES = """\
toolc 1
environment clashes "Names that the verifiers use themselves." version "1.0"
table state_[run: str]: {goals: int} = {"a": {goals: 1}, "b": {goals: 2}}
state counts: int = 0
fn steps "A function." (n: int) -> int { return n + counts }
const match = [1, 2]
tool answer "A tool." (task: str) -> int {
  counts += 1
  return (state_[task] else fail "none").goals
}
tool check "A tool." (n: int) -> int { return steps(n) }
scenario episode "Binders with names of the verifier's." for run, order in state_ {
  user "What is {run}?"
  plan {
    step let task = answer(task: run)
    step let each = check(n: 1)
  }
  answer each
  verify {
    check goal: steps(task) == task + counts and counts == 1 and order.goals == task
      and run in state_ and each == 2 and sum(m for m in match) == 3,
    check verify: (state_[run].goals else fail "none") == task and counts > 0,
    called check(n: each - 1),
    constraint calls + turns <= 5,
  }
  reward goal * steps * verify
}
scenario planned {
  user "?"
  plan { step let state = answer(task: "a") }
  answer state
  verify { check x: counts == state }
}
"""


def test_names_of_a_spec_do_not_clash_with_the_verifiers_own(tmp_path: Path) -> None:
    built = compile_text(CLASHES)
    assert built.diagnostics == ()
    assert prove_source(built.files["verifiers.py"].decode()) == []
    loaded = load_built(built, tmp_path, "clashes")
    assert play(loaded.episode("episode:b")).reward == pytest.approx(1)
    assert play(loaded.episode("planned")).reward == pytest.approx(1)


def test_goals_may_be_asked_for_by_turn(tmp_path: Path) -> None:
    built = compile_text(
        FAMILY
        + "scenario turns {\n"
        + '  turn { user "Twice 1?" plan { step let a = double(n: 1) } answer a\n'
        + "    verify only { called double(n: 1) times 1, constraint calls == 1 } }\n"
        + '  turn { user "Twice that?" plan { step let b = double(n: a) } answer b }\n'
        + '  turn { user "Thanks." plan none }\n'
        + "}\n"
    )
    assert built.diagnostics == ()
    source = built.files["verifiers.py"].decode()
    assert "*steps(run, turn=1)" in source
    assert "answer(run, turn=1)" in source
    assert "answer(run, turn=0)" not in source
    assert "no_call(run, turn=2)" in source
    assert 'constraint(run, "calls == 1", lambda seen: seen.calls == 1, turn=0)' in source
    assert play(load_built(built, tmp_path, "numbers").episode("turns")).reward == 1


def test_verify_only_leaves_the_defaults_out() -> None:
    built = compile_text(
        FAMILY
        + 'scenario only { user "?" plan { step let a = double(n: 1) } answer a\n'
        + "  verify only { called double(n: 1) } }\n"
    )
    assert built.diagnostics == ()
    source = built.files["verifiers.py"].decode()
    assert 'goals = [called(run, "double", {"n": 1})]' in source


PEEKED = """toolc 1
environment lamps "Lamps and their colours." version "1.0"
record Lamp { name: str, watts: decimal? }
table lamps[name]: Lamp = [{name: "hall", watts: "4.5"}, {name: "porch", watts: null}]
tool dim "Set the power of a lamp." (lamp: str, watts: decimal) -> null {
  lamps[lamp].watts = watts
}
tool double_of "Twice the power of a lamp." (lamp: str) -> decimal {
  let watts = lamps[lamp].watts else fail "no power is known"
  return watts * 2
}
scenario dimmed "A row that is read along a path" {
  user "Set the hall to 3 watts and the porch to 2. What is twice the power of each then?"
  plan {
    step dim(lamp: "hall", watts: 3)
    step let hall = double_of(lamp: "hall")
    step dim(lamp: "porch", watts: 2)
    step let porch = double_of(lamp: "porch")
  }
  answer [hall, porch]
}
"""


def test_a_row_read_along_a_path_is_a_dependency() -> None:
    task = tasks_of(compile_text(PEEKED))["dimmed"]
    assert [step["after"] for step in task["turns"][0]["steps"]] == [[], [0], [], [2]]


NAPS = """toolc 1
environment naps "Naps." version "1.0"
state slept: duration = "PT0S"
fn at_least "Whether one slept that long." (length: duration, floor: duration = "PT5M") -> bool {
  return length >= floor
}
tool nap "Sleep for a while." (length: duration = "PT20M") -> duration {
  slept += length
  return slept
}
scenario long "A nap" {
  user "Take a nap of 45 minutes."
  plan { step let slept_for = nap(length: "PT45M") }
  verify { called nap(length: "PT45M"), check enough: at_least(slept) }
}
"""


def test_verifiers_import_a_name_once() -> None:
    source = compile_text(NAPS).files["verifiers.py"].decode()
    assert "from datetime import timedelta\n" in source
    assert "from .tools import at_least\n" in source


def test_text_literals_of_a_family_are_what_the_tool_takes() -> None:
    text = """toolc 1
environment desk "A desk."
type Kind = "cat" | "rabbit" | "dog"
record Visit { id: str, kind: Kind, on: date }
table visits[id]: Visit = [
  {id: "a", kind: "cat", on: "2024-05-01"},
  {id: "b", kind: "dog", on: "2024-05-02"},
  {id: "c", kind: "rabbit", on: "2024-05-02"},
  {id: "d", kind: "rabbit", on: "2024-05-03"},
]
tool count_kind(kind: Kind) -> int { return count(v for v in visits if v.kind == kind) }
tool count_on(on: date) -> int { return count(v for v in visits if v.on == on) }
scenario kinds for kind in ["cat", "rabbit"] {
  user "How many visits by a {kind} are there?"
  plan { step let n = count_kind(kind: kind) }
  answer n
}
scenario days for day in ["2024-05-01", "2024-05-02"] {
  user "How many visits are there on {day}?"
  plan { step let n = count_on(on: day) }
  answer n
}
"""
    found = tasks_of(compile_text(text))
    assert [line["turns"][0]["answer"] for line in found.values()] == [1, 2, 1, 2]
    assert (
        found["days:2024-05-02"]["turns"][0]["user"] == "How many visits are there on 2024-05-02?"
    )
    assert found["days:2024-05-02"]["turns"][0]["steps"][0]["arguments"] == {"on": "2024-05-02"}
