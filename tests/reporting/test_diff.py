"""What differs between two builds, and builds that nobody should trust."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.specs import compile_text, load_built
from toolc.reporting.build import UnreadableBuild, read_build
from toolc.reporting.code import Unreadable, changed, read_code, rest_on
from toolc.reporting.diff import BuildDiff, EnvironmentDiff, diff
from toolc.reporting.paths import differences

SPEC = """\
toolc 1

environment sums "Sums." version "1.0"

table known[name]: Known = [{name: "one", value: 1}, {name: "two", value: 2}]
record Known { name: str, value: int }

fn doubled(a: int) -> int {
  return a + a
}

tool value "The value of a name." (name: ref known "The name.") -> int {
  return known[name].value
}

tool twice "Twice a number." (a: int "The number.", note: str = "" "A note.") -> int {
  return doubled(a)
}

scenario two "Two" {
  user "What is twice the value of one?"
  plan {
    step "Its value?" let one = value(name: "one")
    step "Twice that?" let sum = twice(a: one)
  }
  answer sum
}

scenario other "Other" {
  user "What is the value of two?"
  plan {
    step "Its value?" let found = value(name: "two")
  }
  answer found
}
"""


def build(folder: Path, text: str = SPEC) -> Path:
    load_built(compile_text(text), folder, "sums")
    return folder / "build"


def compared(tmp_path: Path, *edits: tuple[str, str]) -> BuildDiff:
    """What differs once texts of the spec are replaced."""
    text = SPEC
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    before, after = build(tmp_path / "a"), build(tmp_path / "b", text)
    return diff(read_build(str(before)), read_build(str(after)))


def sums(found: BuildDiff) -> EnvironmentDiff:
    assert list(found.changed) == ["sums"] and not found.added and not found.removed
    return found.changed["sums"]


def test_the_same_spec_with_other_comments_is_the_same(tmp_path: Path) -> None:
    found = compared(tmp_path, ("tool value", "# A comment.\ntool value"))
    assert found.empty and found.same == 1


def test_schemas_are_told_by_path(tmp_path: Path) -> None:
    found = sums(compared(tmp_path, ('"The number."', '"A number."')))
    (difference,) = found.tools.changed["twice"]["schema"]
    assert difference == ("$.parameters.properties.a.description", "The number.", "A number.")
    assert list(found.tools.changed) == ["twice"]
    assert found.tasks.same and found.data.same


def test_code_is_told_by_the_tools_that_rest_on_it(tmp_path: Path) -> None:
    found = sums(compared(tmp_path, ("return a + a", "return a + a + 0")))
    assert {name: list(each) for name, each in found.tools.changed.items()} == {"twice": ["code"]}
    assert found.code == {"tools.py": ("doubled",)}


@pytest.mark.parametrize(
    ("old", "new", "task", "aspect"),
    [
        ("What is twice the value of one?", "What is one, twice?", "two", "prompt"),
        ('value(name: "two")', 'value(name: "one")', "other", "answer"),
        ('"Its value?" let found', '"Which value?" let found', "other", "plan"),
        ("answer found", "answer found\n  reward binary", "other", "reward"),
        ("answer found", "answer found\n  reward binary", "other", "verifier"),
        ("answer found", "answer found\n  limits { calls: 3 }", "other", "limits"),
    ],
)
def test_tasks_are_told_by_what_differs(
    tmp_path: Path, old: str, new: str, task: str, aspect: str
) -> None:
    found = sums(compared(tmp_path, (old, new)))
    assert list(found.tasks.changed) == [task]
    assert aspect in found.tasks.changed[task]


def test_rows_and_tasks_come_and_go(tmp_path: Path) -> None:
    found = sums(
        compared(
            tmp_path,
            ('{name: "two", value: 2}', '{name: "two", value: 3}, {name: "ten", value: 10}'),
            ('scenario other "Other"', 'scenario another "Other"'),
            ('version "1.0"', 'version "1.1"'),
        )
    )
    assert found.data.added == ("known.ten",)
    assert found.data.changed["known.two"]["value"] == [("$.value", 2, 3)]
    assert (found.tasks.added, found.tasks.removed) == (("another",), ("other",))
    assert found.facts == (("$.version", "1.0", "1.1"),)
    assert json.loads(json.dumps(found.to_json()))["data"]["added"] == ["known.ten"]


def test_environments_come_and_go(tmp_path: Path) -> None:
    before, after = build(tmp_path / "a"), build(tmp_path / "b")
    edit_manifest(after, lambda entries: entries.update(more=entries.pop("sums")))
    (after / "sums").rename(after / "more")
    found = diff(read_build(str(before)), read_build(str(after)))
    assert (found.added, found.removed, found.same) == (("more",), ("sums",), 0)
    one = diff(read_build(str(before / "sums")), read_build(str(before)))
    assert one.empty and one.same == 1


# ---------------------------------------------------------------- builds of others


def edit_manifest(root: Path, change: Callable[[Any], Any]) -> None:
    place = root / "manifest.json"
    manifest = json.loads(place.read_text(encoding="utf-8"))
    change(manifest["environments"])
    place.write_text(json.dumps(manifest), encoding="utf-8")


def put(root: Path, name: str, content: bytes) -> None:
    """Writes an artifact, and its hash into the manifest."""
    (root / "sums" / name).write_bytes(content)
    edit_manifest(
        root,
        lambda entries: entries["sums"]["artifacts"].update({name: sha256(content).hexdigest()}),
    )


def refused(root: Path) -> str:
    with pytest.raises(UnreadableBuild) as raised:
        diff(read_build(str(root)), read_build(str(root)))
    return str(raised.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entries: entries.update({"../x": entries["sums"]}), "not the name of an env"),
        (lambda entries: entries.update({"": entries["sums"]}), "not the name of an env"),
        (lambda entries: entries["sums"]["artifacts"].update({"../x": ""}), "of an artifact"),
        (lambda entries: entries["sums"]["artifacts"].update({"/etc/x": ""}), "of an artifact"),
        (lambda entries: entries["sums"].update(artifacts=7), "does not describe `sums`"),
        (lambda entries: entries.update(sums=[]), "does not describe `sums`"),
        (lambda entries: entries["sums"]["artifacts"].update({"x.json": ""}), "cannot read"),
    ],
)
def test_manifests_are_not_trusted(tmp_path: Path, change: Any, message: str) -> None:
    root = build(tmp_path)
    edit_manifest(root, change)
    assert message in refused(root)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("schemas.json", b"{", "is not JSON"),
        ("schemas.json", b"[[]]", "no list of functions"),
        ("data.json", b'{"tables": []}', "not of the expected form"),
        ("data.json", b"[" * 100_000, "is not JSON"),
        ("scenarios.jsonl", b"[]\n", "is not a task"),
        ("tools.py", b"def (", "no Python"),
        ("tools.py", b"(" * 100_000, "no Python"),
        ("tools.py", b"x = " + b"-" * 100_000 + b"1", "no Python"),
        ("verifiers.py", b"\0", "no Python"),
    ],
)
def test_artifacts_are_not_trusted(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    root = build(tmp_path)
    put(root, name, content)
    assert message in refused(root)


def test_no_code_runs(tmp_path: Path) -> None:
    root = build(tmp_path)
    trace = tmp_path / "ran"
    put(root, "tools.py", f"open({str(trace)!r}, 'w')\n".encode())
    assert diff(read_build(str(root)), read_build(str(root))).empty
    assert not trace.exists()


def test_edited_files_links_and_pipes_are_refused(tmp_path: Path) -> None:
    root = build(tmp_path)
    place = root / "sums" / "data.json"
    content = place.read_bytes()
    place.write_bytes(content + b" ")
    assert "not what the compiler wrote" in refused(root)
    outside = tmp_path / "outside.json"
    outside.write_bytes(content)
    place.unlink()
    place.symlink_to(outside)
    assert "leads out of the build" in refused(root)
    place.unlink()
    os.mkfifo(place)
    assert "not a plain file" in refused(root)
    (tmp_path / "none").mkdir()
    assert "holds no build" in refused(tmp_path / "none")


# ---------------------------------------------------------------- the parts


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1, "b": [1, 2]}, {"b": [1, 2], "a": 1.0}, []),
        ({"a": 1}, {"a": True}, ["$.a"]),
        ({"a b": {"c": 1}}, {"a b": {"c": 2}}, ['$["a b"].c']),
        ([1, [2]], [1, [3, 4]], ["$[1][0]", "$[1][1]"]),
        ({"a": None}, {}, ["$.a"]),
        ({}, [], ["$"]),
    ],
)
def test_differences_by_path(before: Any, after: Any, expected: list[str]) -> None:
    assert [each.path for each in differences(before, after)] == expected


def test_code_is_compared_without_comments_layout_and_docstrings() -> None:
    one = read_code(
        '"""Doc."""\nimport x\n\ndef f(a):\n    "Doc."\n    return g(a)\n\ndef g(a): return a'
    )
    two = read_code("import x\n# note\ndef g(a):\n    return (a)\ndef f(a):\n    return g( a )\n")
    assert changed(one, two) == set()
    three = read_code(
        "import y as x\ndef g(a): return a + 1\ndef f(a): return g(a)\nT = {'F': f}\n"
    )
    assert changed(one, three) == {"x", "g", "T"}
    assert rest_on({"g"}, one, three, "T") == {"F"}
    with pytest.raises(Unreadable):
        read_code("def")
