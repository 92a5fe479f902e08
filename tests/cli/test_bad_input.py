"""What a user may feed by mistake or in bad faith: a message that says where, never a traceback."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import ROOT
from toolc.cli import main
from toolc_runtime import load

SPEC = """toolc 1
environment shop "A shop."
record Item { id: str, price: float }
table items[id]: Item = [{id: "a", price: 1.5}]
tool price "Its price." (id: str) -> float { return items[id].price else fail "no {id}" }
scenario one "One." {
  user "What does a cost?"
  plan { step "What does it cost?" let cost = price(id: "a") }
  answer cost
}
"""


class Ended(NamedTuple):
    status: int
    out: str
    err: str


def toolc(*arguments: str | Path) -> Ended:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(argument) for argument in arguments])
    assert "internal error" not in err.getvalue()
    return Ended(status, out.getvalue(), err.getvalue())


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    path = tmp_path / "shop.toolc"
    path.write_text(SPEC)
    return path


@pytest.fixture
def build(spec: Path) -> Path:
    assert toolc("compile", spec, "-o", spec.parent / "out", "-q").status == 0
    return spec.parent / "out"


# ---------------------------------------------------------------- specs


@pytest.mark.parametrize(
    "declaration",
    [
        "table class[id]: Item = []",
        "table import[id]: Item = []",
        "state lambda: int = 0",
        "record _ { id: str }",
        'enum _ "e" { "a" }',
        "const _ = 1",
        "table _[id]: Item = []",
        "fn _() -> int { return 1 }",
        'tool _ "t" () -> int { return 1 }',
    ],
)
def test_names_that_python_has_no_room_for(spec: Path, declaration: str) -> None:
    spec.write_text(SPEC + declaration + "\n")
    ended = toolc("compile", spec, "-o", spec.parent / "out", "--format", "plain")
    assert ended.status == 1
    assert f"{spec}:11:" in ended.out
    assert "TC0205" in ended.out


@pytest.mark.parametrize("name", ["class", "print", "state", "TOOLS", "None", "Fail", "str", "con"])
def test_names_of_python_elsewhere(spec: Path, name: str) -> None:
    if name == "None":
        text = SPEC.replace("Item", "Class").replace("environment shop", "environment import")
    else:
        text = (
            SPEC.replace("price", name)
            .replace("one", name)
            .replace("environment shop", "environment with")
        )
    spec.write_text(text)
    out = spec.parent / "out"
    assert toolc("compile", spec, "-o", out, "--prove").status == 0
    built = "import" if name == "None" else "with"
    assert toolc("run", out / built).status == 0


@pytest.mark.parametrize(
    "body",
    [
        "if n == 0 { return 0 } "
        + "".join(f"else if n == {i} {{ return {i} }}\n" for i in range(5_000)),
        "match n % 2 == 0 { " * 5_000,
        "if n == 1 {" * 5_000,
    ],
)
def test_long_chains_and_deep_bodies(spec: Path, body: str) -> None:
    spec.write_text(f'{SPEC}tool long "t" (n: int) -> int {{ {body} return 1 }}\n')
    ended = toolc("compile", spec, "-o", spec.parent / "out", "--format", "plain")
    assert ended.status == 1
    assert "TC0121" in ended.out


def test_a_chain_as_long_as_it_may_be_can_be_proved(spec: Path) -> None:
    cases = "".join(f" else if n == {i} {{ return {i} }}" for i in range(400))
    spec.write_text(
        f'{SPEC}tool long "t" (n: int) -> int {{ if n < 0 {{ return 0 }}{cases} return 1 }}\n'
    )
    assert toolc("compile", spec, "-o", spec.parent / "out", "--prove").status == 0


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse the name")
def test_a_file_name_that_is_no_text(spec: Path) -> None:
    path = os.path.join(os.fsencode(spec.parent), b"\xff.toolc")
    shutil.copyfile(os.fsencode(spec), path)
    ended = toolc("compile", os.fsdecode(path), "-o", spec.parent / "out")
    assert ended.status == 1
    assert "its name is not UTF-8 text" in ended.out


# ---------------------------------------------------------------- data


@pytest.mark.parametrize("cell", ["1e999", "-1e999", "9" * 400, "nan", "inf"])
def test_a_number_that_is_not_finite(spec: Path, cell: str) -> None:
    spec.write_text(SPEC.replace('[{id: "a", price: 1.5}]', 'file("items.csv")'))
    (spec.parent / "items.csv").write_text(f"id,price\na,{cell}\n")
    ended = toolc("compile", spec, "-o", spec.parent / "out", "--format", "plain")
    assert ended.status == 1
    assert "items.csv:2:3: error[TC0410]" in ended.out


# ---------------------------------------------------------------- builds


def rewrite(build: Path, name: str, content: bytes) -> None:
    """Puts other content into an artifact, and its hash into the manifest."""
    (build / "shop" / name).write_bytes(content)
    manifest = json.loads((build / "manifest.json").read_text())
    manifest["environments"]["shop"]["artifacts"][name] = sha256(content).hexdigest()
    (build / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "content", [b"", b"null", b"{}", b"[" * 100_000, b"\xff", b'{"tables": 3}']
)
@pytest.mark.parametrize(
    "name", ["data.json", "scenarios.jsonl", "schemas.json", "state_schemas.json"]
)
def test_artifacts_of_another_form(build: Path, name: str, content: bytes) -> None:
    rewrite(build, name, content)
    ended = toolc("run", build / "shop")
    assert ended.status == 2
    assert ended.err.startswith("toolc: ")


@pytest.mark.parametrize(
    "turns",
    [
        3,
        [3],
        [{}],
        [{"user": "x", "steps": 3}],
        [{"user": "x", "steps": [3]}],
        [{"user": "x", "steps": [{}]}],
    ],
)
def test_tasks_of_another_form(build: Path, turns: Any) -> None:
    task = json.loads((build / "shop" / "scenarios.jsonl").read_text())
    rewrite(build, "scenarios.jsonl", json.dumps(task | {"turns": turns}).encode() + b"\n")
    ended = toolc("run", build / "shop")
    assert ended.status == 2
    assert "the task 'one' is not of the expected form" in ended.err


@pytest.mark.parametrize("name", ["tools.py", "verifiers.py", "__init__.py"])
def test_edited_code_does_not_run(build: Path, name: str) -> None:
    path = build / "shop" / name
    path.write_text(f"open({str(build / 'ran')!r}, 'w')\n" + path.read_text())
    ended = toolc("run", build / "shop")
    assert ended.status == 2
    assert f"{path} is not what the compiler wrote" in ended.err
    assert not (build / "ran").exists()


# ---------------------------------------------------------------- calls


class Hostile(Mapping[str, Any]):
    """A mapping whose own code fails."""

    def __getitem__(self, key: str) -> Any:
        raise ZeroDivisionError

    def __iter__(self) -> Iterator[str]:
        return iter(["id"])

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize(
    "arguments",
    [
        None,
        1,
        b"{}",
        [],
        "",
        "{",
        "NaN",
        "[" * 100_000,
        {"id": {1}},
        {1: 2},
        {"id": float("nan")},
        Hostile(),
    ],
)
def test_a_call_of_any_shape_is_an_observation(build: Path, arguments: Any) -> None:
    episode = load(str(build / "shop")).episode()
    result = json.loads(episode.call("price", arguments))
    assert result["error"]["code"] in ("malformed_json", "invalid_arguments")
    assert episode.trace[-1].status == "rejected"
    assert not episode.json_changes()


# ---------------------------------------------------------------- the process


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "toolc", *arguments]


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")]), **more}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize(("redirection", "said"), [(">&-", ""), (">/dev/full", "no space left")])
def test_standard_output_that_takes_nothing(build: Path, redirection: str, said: str) -> None:
    script = f'"$@" {redirection}'
    ended = subprocess.run(
        ["sh", "-c", script, "sh", *command("run", str(build / "shop"))],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == (1 if said else 0)
    assert said in ended.stderr.lower()
    assert ended.stderr.count("\n") == bool(said)


def test_a_locale_without_unicode(spec: Path) -> None:
    spec.write_text(SPEC.replace("What does a cost?", "Bogotá\u2028?"))
    out = spec.parent / "out"
    assert toolc("compile", spec, "-o", out, "-q").status == 0
    ended = subprocess.run(
        command("run", str(out / "shop")),
        env=environment(LC_ALL="C", PYTHONIOENCODING="ascii", PYTHONUTF8="0"),
        capture_output=True,
        timeout=120,
    )
    assert ended.returncode == 0
    assert "Bogotá" in ended.stdout.decode()


KILLED = """
import os, sys, time
import toolc.compiler
from toolc.cli import main

def compile_unit(*task):
    os.write(1, b"%d\\n" % os.getpid())  # one write, so that the lines can't mix
    time.sleep(100)
toolc.compiler.compile_unit = compile_unit
main(["compile", sys.argv[1], "-o", "out", "-j", "2"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="workers are forked")
def test_workers_end_with_a_process_that_is_killed(spec: Path) -> None:
    (spec.parent / "other.toolc").write_text(SPEC.replace("shop", "other"))
    arguments = [sys.executable, "-c", KILLED, str(spec.parent)]
    with subprocess.Popen(
        arguments, cwd=spec.parent, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            workers = [int(process.stdout.readline()) for _ in range(2)]
        finally:
            process.kill()
        try:
            rest, _ = process.communicate(timeout=60)  # ends as the last of them closes it
        except subprocess.TimeoutExpired:
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            raise
    assert rest == ""
