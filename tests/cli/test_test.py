"""`toolc test`: the tests that stand in specs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT, Toolc

HEAD = """\
toolc 1

environment desk "A desk." version "1.0"

record Note { id: str, text: str, due: date = "2024-05-15" }

table notes[id]: Note = [{id: "N1", text: "Hello"}]
state read: int = 0

invariant few "There is little room.": len(notes) < 4

tool read_note "Read a note." (
  note_id: str(min_length: 2) "Its id.",
  mode?: str "What stands behind it.",
  lang: str? = "en" "Its language.",
) -> str {
  read += 1
  let note = notes[note_id] else fail "no such note"
  return "{note.text} {lang ?? 'null'}{mode ?? ''}"
}

tool add_note "Add a note." (id: str "Its id.") -> Note {
  insert {id: id, text: id} into notes
  return notes[id]
}

tool scan "Do a lot." (times: int(minimum: 0, maximum: 1_000) "How often.") -> int {
  var sum = 0
  for i in range(times) {
    for j in range(times) {
      sum += j
    }
  }
  return sum
}
"""


def judged(toolc: Toolc, folder: Path, *tests: str) -> dict[str, Any]:
    """How tests that stand behind `HEAD` went, by title; the exit status has to fit."""
    (folder / "desk.toolc").write_text(HEAD + "\n" + "\n\n".join(tests) + "\n")
    ended = toolc("test", "desk.toolc", "--format", "json")
    shown = [json.loads(line) for line in ended.stdout.splitlines()]
    assert all(each["type"] == "test" for each in shown), ended.stdout
    assert ended.returncode == int(not all(each["passed"] for each in shown)), ended.stderr
    return {each["title"]: each["failures"] for each in shown}


def test_calls_are_made_as_a_model_makes_them(toolc: Toolc, tmp_path: Path) -> None:
    found = judged(
        toolc,
        tmp_path,
        """test "a failed call is rolled back" {
  expect read_note(note_id: "N7") fails with "no such note"
  expect read == 0
  expect read_note(note_id: "N1") == "Hello en"
  expect read == 1
}""",
        """test "each starts anew, and what it writes itself stays" {
  expect read == 0
  read = 7
  insert {id: "N8", text: "8"} into notes
  expect read_note(note_id: "N7") fails
  expect read == 7 and "N8" in notes
}""",
        """test "arguments" {
  expect read_note(note_id: "N1", lang: null) == "Hello null"
  expect read_note(note_id: "N1", mode: "!") == "Hello en!"
  expect read_note(note_id: "N1", lang: "de", mode: "!") == "Hello de!"
  let short = "N"
  expect read_note(note_id: short) fails
  expect add_note(id: "N2").due == "2024-05-15"
}""",
        'test "empty" {}',
    )
    assert list(map(len, found.values())) == [0, 0, 0, 0]


def test_what_a_failure_says(toolc: Toolc, tmp_path: Path) -> None:
    (failures,) = judged(
        toolc,
        tmp_path,
        """test "all wrong" {
  expect read_note(note_id: "N7") fails with "no note"
  expect read_note(note_id: "N7") == "x"
  expect read_note(note_id: "N1") fails
  expect read_note(note_id: "N1")
    == "x"
  expect read == 5 or read == 6
  for n in notes { expect n.text == "Bye" }
  if read > 0 { expect read == 2 } else { expect read == 3 }
}""",
    ).values()
    first = HEAD.count("\n") + 3
    shown = [(each["line"] - first, each["source"], each["message"]) for each in failures]
    assert shown == [
        (
            0,
            'expect read_note(note_id: "N7") fails with "no note"',
            'failed with "no such note"',
        ),
        (1, 'expect read_note(note_id: "N7") == "x"', 'failed with "no such note"'),
        (2, 'expect read_note(note_id: "N1") fails', 'did not fail, gave "Hello en"'),
        (3, 'expect read_note(note_id: "N1") == "x"', 'actual: "Hello en"'),
        (5, "expect read == 5 or read == 6", "does not hold"),
        (6, 'expect n.text == "Bye"', 'actual: "Hello"'),
    ]
    assert failures[-1]["column"] == 20


def test_what_ends_a_test(toolc: Toolc, tmp_path: Path) -> None:
    found = judged(
        toolc,
        tmp_path,
        """test "refused" {
  read_note(note_id: "N7")
  expect false
}""",
        """test "overfull" {
  for id in ["N2", "N3", "N4", "N5"] { add_note(id: id) }
  expect len(notes) == 5
}""",
        """test "endless" {
  for i in range(100) { expect scan(times: 1_000) > 0 }
}""",
        """test "endless itself" {
  for i in range(5_000) { for j in range(5_000) { read = j } }
}""",
    )
    messages = {title: [each["message"] for each in found[title]] for title in found}
    assert messages["refused"] == ['`read_note` failed with "no such note"']
    assert messages["overfull"] == ["the invariant `few` does not hold after `add_note`"]
    (text,) = messages["endless"]
    assert text.startswith("stopped in `scan`: ")
    (text,) = messages["endless itself"]
    assert text.startswith("a statement failed with") and "budget" in text


def test_for_people(toolc: Toolc, tmp_path: Path) -> None:
    tests = 'test "good" {\n  expect read == 0\n}\n\ntest "bad" {\n  expect read == 1\n}\n'
    (tmp_path / "desk.toolc").write_text(f"{HEAD}\n{tests}")
    ended = toolc("test", ".")
    line = HEAD.count("\n") + 7
    assert ended.returncode == 1
    assert ended.stdout == (
        "desk.toolc\n  ok      good\n  FAILED  bad\n"
        f"    desk.toolc:{line}: expect read == 1\n      actual: 0\n"
    )
    assert ended.stderr == "2 tests: 1 passed, 1 failed\n"
    only = toolc("test", ".", "--only", "good")
    assert (only.returncode, only.stderr) == (0, "1 test: 1 passed, 0 failed\n")
    none = toolc("test", ".", "--only", "ugly")
    assert none.returncode == 2
    assert "no test has `ugly` in its title" in none.stderr
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        (("read += 1", "read += one"), "TC0201"),
        (("= [{id", '= file("notes.csv") #'), "TC0401"),
        (("len(notes) < 4", "len(notes) > 4"), "TC0614"),
    ],
)
def test_specs_that_cannot_run(
    toolc: Toolc, tmp_path: Path, broken: tuple[str, str], code: str
) -> None:
    (tmp_path / "desk.toolc").write_text(HEAD.replace(*broken) + '\ntest "x" {\n  expect true\n}\n')
    ended = toolc("test", "desk.toolc")
    assert ended.returncode == 1
    assert code in ended.stdout
    assert ended.stderr == "0 tests: 0 passed, 0 failed, 1 error\n"


def test_wrong_usage(toolc: Toolc, tmp_path: Path) -> None:
    assert toolc("test").returncode == 2
    assert toolc("test", "missing").returncode == 2
    (tmp_path / "desk.toolc").write_text(HEAD)
    assert toolc("test", "desk.toolc", "--data", "missing").returncode == 2
    none = toolc("test", "desk.toolc")
    assert (none.returncode, none.stderr) == (0, "0 tests: 0 passed, 0 failed\n")


def test_the_projects_own_specs(toolc: Toolc) -> None:
    ended = toolc("test", str(ROOT / "specs"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "geography.toolc" in ended.stdout
    assert " 0 failed" in ended.stderr
