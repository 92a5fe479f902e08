"""The gates on planted defects, which others wrote, and on what is sound."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path

import pytest

import toolc_runtime
from toolc.audit import GATES, TaskAudit, audit
from toolc.audit.script import Move, play, with_texts
from toolc.audit.shortcut import in_turn
from toolc.audit.subject import Shared, Subject
from toolc.compiler import Options, compile_specs
from toolc.output import write_build
from toolc_runtime.environment import Environment

HERE = Path(__file__).parent
DEFECTS = sorted((HERE / "defects").glob("*.toolc"))
SOUND = sorted((HERE / "sound").glob("*.toolc"))
OWN = sorted((HERE / "own").glob("*.toolc"))
EXPECTED = {row[0]: row for row in csv.reader((HERE / "expected.tsv").open(), delimiter="\t")}
SECOND = HERE / "second"
SECOND_DEFECTS = sorted((SECOND / "defects").glob("*.toolc"))
SECOND_SOUND = sorted((SECOND / "sound").glob("*.toolc"))
SECOND_EXPECTED = {
    row["name"]: row for row in csv.DictReader((SECOND / "expected.tsv").open(), delimiter="\t")
}
STATED = re.compile(r'^scenario (\w+) "(\w+): ', re.MULTILINE)
SCENARIO = re.compile(r"^# defect: (\w+):", re.MULTILINE)


def built(root: Path, specs: Iterable[Path]) -> Path:
    made = [each.artifacts for each in compile_specs(list(map(str, specs)), Options())]
    write_build(str(root / "build"), [each for each in made if each], 1, "0")
    return root / "build"


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("audited"), (*DEFECTS, *SOUND, *OWN))


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(tmp_path_factory.mktemp("second"), (*SECOND_DEFECTS, *SECOND_SOUND))


def loaded(build: Path, spec: Path) -> Environment:
    name = re.search(r"^environment (\w+)", spec.read_text(encoding="utf-8"), re.MULTILINE)
    assert name is not None
    return toolc_runtime.load(build / name[1])


def audited(build: Path, spec: Path) -> Iterator[TaskAudit]:
    return audit(loaded(build, spec))


def is_refuted(build: Path, spec: Path) -> bool:
    scenario = SCENARIO.search(spec.read_text(encoding="utf-8"))
    assert scenario is not None
    return any(
        each.outcome == "refuted"
        for each in audited(build, spec)
        if each.task.partition(":")[0] == scenario[1]
    )


def is_of(audited: TaskAudit, scenario: str) -> bool:
    """Whether a task is this one, or one of this scenario."""
    return scenario in (audited.task, audited.task.partition(":")[0])


@cache
def known_misses() -> frozenset[str]:
    """The defects that no gate sees yet; docs/audit.md says why."""
    text = (HERE.parent.parent / "docs" / "audit.md").read_text(encoding="utf-8")
    section = text.partition("## What it misses")[2].partition("\n## ")[0]
    return frozenset(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))


@pytest.mark.parametrize("spec", DEFECTS, ids=lambda spec: spec.stem)
def test_planted_defects_are_refuted(build: Path, spec: Path) -> None:
    assert is_refuted(build, spec) == (spec.stem not in known_misses())


@pytest.mark.parametrize("spec", SOUND, ids=lambda spec: spec.stem)
def test_what_is_sound_passes(build: Path, spec: Path) -> None:
    assert [each.to_json() for each in audited(build, spec) if each.outcome != "passed"] == []


@pytest.mark.parametrize("spec", SECOND_DEFECTS, ids=lambda spec: spec.stem)
def test_defects_of_the_second_set_are_refuted(second: Path, spec: Path) -> None:
    defect = SECOND_EXPECTED[spec.stem]["scenario"]
    found = list(audited(second, spec))
    refuted = any(each.outcome == "refuted" for each in found if is_of(each, defect))
    assert refuted == (spec.stem not in known_misses())
    scenario = defect.partition(":")[0]
    assert [
        each.to_json() for each in found if each.outcome != "passed" and not is_of(each, scenario)
    ] == []


@pytest.mark.parametrize("spec", SECOND_SOUND, ids=lambda spec: spec.stem)
def test_what_is_sound_in_the_second_set_passes(second: Path, spec: Path) -> None:
    assert [each.to_json() for each in audited(second, spec) if each.outcome != "passed"] == []


@pytest.mark.parametrize("spec", OWN, ids=lambda spec: spec.stem)
def test_each_scenario_comes_out_as_it_says(build: Path, spec: Path) -> None:
    stated = dict(STATED.findall(spec.read_text(encoding="utf-8")))
    assert stated
    for each in audited(build, spec):
        gate = stated[each.task]
        if gate == "sound":
            assert (each.task, each.outcome, each.gates("refuted")) == (each.task, "passed", [])
        else:
            assert (each.task, each.findings[gate].outcome) == (each.task, "refuted")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("duration_listing", "risotto PT35M, goose PT4H, bread PT3H20M, omelette PT10M"),
        ("listing_passes", "Ada: Aquarium. Finn: Observatory. Greta: Workshop. Hugo: Greenhouse."),
    ],
)
def test_what_is_no_defect_any_more(build: Path, name: str, text: str) -> None:
    environment = loaded(build, HERE / "defects" / f"{name}.toolc")
    subject = Subject(Shared(environment), next(iter(environment.tasks.values())))
    listed = with_texts(subject.reference, {0: text})
    assert subject.solved.verdict.reward == 1
    assert subject.play(listed).verdict.reward < 1


def test_none_beside_a_listing_is_no_answer_any_more(second: Path) -> None:
    environment = loaded(second, SECOND / "defects" / "empty_member.toolc")
    subject = Subject(Shared(environment), environment.tasks["cancelled:Blue"])
    for text, right in (("None.", True), ("None. R-101, G-301 and G-302.", False)):
        verdict = subject.play(with_texts(subject.reference, {0: text})).verdict
        assert (verdict.reward == 1) is right


def test_draws_that_show_are_the_same_under_every_seed(build: Path) -> None:
    environment = loaded(build, HERE / "defects" / "seeded_roll.toolc")
    subject = Subject(Shared(environment), environment.tasks["treasure"])
    for seed in range(5):
        assert play(environment, subject.task, subject.reference, seed=seed).verdict.reward == 1


def test_no_search_is_without_a_bound(build: Path) -> None:
    first = Move("f", {})
    candidates = [(turn, first) for turn in (3, 2, 1, 0)] * 5
    chosen = islice(in_turn(candidates, 12), 1_000)
    for each in chosen:
        assert [turn for turn, _ in each] == sorted(turn for turn, _ in each)


def test_the_set_is_whole() -> None:
    assert {path.stem for path in DEFECTS} <= EXPECTED.keys()
    assert {path.stem for path in (*SECOND_DEFECTS, *SECOND_SOUND)} == SECOND_EXPECTED.keys()
    assert known_misses() <= {path.stem for path in (*DEFECTS, *SECOND_DEFECTS)}
    named = {gate for row in EXPECTED.values() for gate in row[2].split(",")}
    assert named & GATES.keys() == GATES.keys() - {"stable"} | (named & {"stable"})
