"""`toolc show`: an environment and its tasks at a glance."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conftest import Toolc

SPEC = """\
toolc 1

environment desk "A desk." version "2.0" clock "2024-05-15T15:00:00" seed 7

record Note { id: str, text: str }

table notes[id]: Note = [{id: "N1", text: "Hello"}, {id: "N2", text: "Bye"}]
state read: int = 0

fn new_id "An unused id." () -> str {
  return fresh_id("N", 6)
}

tool read_note "Read a note." (note_id: str "Its id.") -> str {
  let note = notes[note_id] else fail "no such note"
  read += 1
  return note.text
}

tool write_note "Write a note." (text: str "Its text.", state: int = 1 "Its state.") -> str {
  let id = new_id()
  insert {id: id, text: text} into notes
  return id
}

tool shout "Say it loudly." (text: str "What.") -> str {
  return upper(text)
}

scenario reading "Reading" for n in notes {
  system "Be brief."
  user "What does {n.id} say? Shout it."
  plan {
    step "What does it say?" let text = read_note(note_id: n.id)
    step "Shout it." let loud = shout(text: text)
  }
  answer loud
}

scenario missing "No such note" {
  turn {
    user "Write down: milk."
    plan { step "Write it." write_note(text: "milk") }
  }
  turn {
    user "What does N9 say?"
    plan { step "Read it." read_note(note_id: "N9") fails with "no such note" }
  }
  limits { calls: 5 }
}
"""


@pytest.fixture
def built(toolc: Toolc, tmp_path: Path) -> Path:
    (tmp_path / "desk.toolc").write_text(SPEC)
    ended = toolc("compile", "desk.toolc", "-o", "build", "--quiet")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return tmp_path


def test_an_environment(toolc: Toolc, built: Path) -> None:
    ended = toolc("show", "build/desk", "--format", "json")
    assert ended.returncode == 0, ended.stderr
    shown = json.loads(ended.stdout)
    tools = {tool.pop("name"): tool for tool in shown.pop("tools")}
    assert tools["read_note"] == {
        "signature": "read_note(note_id: str) -> str",
        "description": "Read a note.",
        "reads": ["notes", "read"],
        "writes": ["read"],
        "draws": False,
    }
    assert tools["write_note"]["signature"] == "write_note(text: str, state: int = 1) -> str"
    assert {name for name, tool in tools.items() if tool["draws"]} == {"write_note"}
    reading, missing = shown.pop("scenarios")
    assert reading == {
        "name": "reading",
        "tasks": 2,
        "kinds": ["multi_hop"],
        "turns": 1,
        "difficulty": {
            "steps": [2, 2],
            "depth": [2, 2],
            "width": [1, 1],
            "tools": [3, 3],
            "arguments": [2, 2],
        },
        "first": "reading:N1",
    }
    assert (missing["tasks"], missing["turns"]) == (1, 2)
    assert shown == {
        "name": "desk",
        "version": "2.0",
        "description": "A desk.",
        "clock": "2024-05-15T15:00:00",
        "seed": 7,
        "others": {},
        "tables": {"notes": 2},
        "state": ["read"],
    }


def test_an_environment_for_people(toolc: Toolc, built: Path) -> None:
    shown = toolc("show", "build/desk").stdout
    for line in (
        "desk 2.0\n  A desk.\n  clock 2024-05-15T15:00:00, seed 7\n",
        "3 tools\n  read_note(note_id: str) -> str\n      Read a note.\n",
        "      reads notes, read; writes read\n",
        "      no effects\n",
        "1 table\n  notes  2 rows\n  state: read\n",
        "2 scenarios, 3 tasks\n  reading  2 tasks  multi_hop",
        "steps 2, depth 1, tools 3, 2 turns\n",
        "`--task reading:N1` shows a task.",
    ):
        assert line in shown


def test_a_task(toolc: Toolc, built: Path) -> None:
    shown = toolc("show", "build/desk", "--task", "reading:N1").stdout
    for line in (
        "task        reading:N1 (multi_hop)\n",
        "system      Be brief.\n",
        "user        What does N1 say? Shout it.\n",
        'step 2      Shout it.\n  call      shout {"text": "Hello"}\n  result    HELLO\n',
        "  after     step 1\n",
        "answer      HELLO (str)\n",
        'changes     {"read": 1}\n',
    ):
        assert line in shown
    second = toolc("show", "build/desk", "--task", "missing").stdout
    assert "step 2      Read it.\n" in second
    assert "  failure   no such note\n" in second
    assert "limits      calls 5\n" in second
    record = json.loads(toolc("show", "build/desk", "--task", "missing", "--format", "json").stdout)
    lines = (built / "build" / "desk" / "scenarios.jsonl").read_text().splitlines()
    assert record == json.loads(lines[-1])


def test_what_is_not_there(toolc: Toolc, built: Path) -> None:
    ended = toolc("show", "build/desk", "--task", "reading:N3")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "there is no task `reading:N3`; did you mean `reading:N1`?" in ended.stderr
    far = toolc("show", "build/desk", "--task", "nonsense")
    assert "the first is `reading:N1`" in far.stderr
    assert toolc("show", "build/nothing").returncode == 2
    (built / "build" / "desk" / "tools.py").write_text("import os\n")
    assert toolc("show", "build/desk").returncode == 2


def test_an_environment_without_tasks(toolc: Toolc, tmp_path: Path) -> None:
    text = 'toolc 1\nenvironment bare "Bare."\ntool one "One." () -> int { return 1 }\n'
    (tmp_path / "bare.toolc").write_text(text)
    assert toolc("compile", "bare.toolc").returncode == 0
    shown = toolc("show", "build/bare")
    assert shown.returncode == 0
    assert "0 tables" in shown.stdout and "0 scenarios, 0 tasks" in shown.stdout
    ended = toolc("show", "build/bare", "--task", "x")
    assert ended.returncode == 2
    assert "the environment has no tasks" in ended.stderr
