"""The command line as its user meets it: exit statuses, messages, nothing half written."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Toolc
from toolc.cli import COMMANDS, parser_of

GOOD = """\
toolc 1

environment sums "Sums." version "1.0"

tool add "Add two numbers." (a: int "The first.", b: int = 1 "The second.") -> int {
  return a + b
}

scenario three "Three" {
  user "What is one and two?"
  plan {
    step "One and two?" let sum = add(a: 1, b: 2)
  }
  answer sum
}
"""
BAD = GOOD.replace("return a + b", "return a + c")
BROKEN = GOOD.replace("-> int {", "-> int {{{ return", 1)


def write(folder: Path, **specs: str) -> None:
    for name, text in specs.items():
        (folder / f"{name}.toolc").write_text(text)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["nonsense"], "invalid choice: 'nonsense'"),
        (["check"], "required: PATH"),
        (["check", "--nonsense", "x"], "unrecognized arguments"),
        (["check", "missing"], "`missing` does not exist"),
        (["check", "empty"], "`empty` holds no .toolc file"),
        (["compile", "missing"], "`missing` does not exist"),
        (["compile", "good.toolc", "--jobs", "0"], "`0` is not a whole number from 1"),
        (["compile", "good.toolc", "--data", "missing"], "`missing` is not a folder"),
        (["fmt"], "fmt takes paths, or --stdin alone"),
        (["fmt", "--stdin", "x"], "fmt takes paths, or --stdin alone"),
        (["run", "missing"], "cannot load `missing`"),
        (["replay", "missing", "traces"], "cannot load `missing`"),
        (["replay", "missing", "t", "--data", "missing"], "cannot read `missing`"),
    ],
)
def test_wrong_usage(toolc: Toolc, tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "empty").mkdir()
    write(tmp_path, good=GOOD)
    ended = toolc(*arguments)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], *([c, "--help"] for c in COMMANDS)]
)
def test_help(toolc: Toolc, arguments: list[str]) -> None:
    ended = toolc(*arguments)
    assert ended.returncode == 0
    assert "toolc" in ended.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_teaches_by_examples_that_parse(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser_of(command).parse_args([command, "--help"])
    text = capsys.readouterr().out
    assert re.search(r"^exit status: 0 .*; 2 ", " ".join(text.split("\n\n")[-1].split()))
    examples = re.findall(r"^  (toolc .*?)(?: < .*?)?   ", text, re.MULTILINE)
    assert 1 <= len(examples) <= 3
    for example in examples:
        _, *arguments = shlex.split(example)
        assert parser_of(command).parse_args(arguments).command == command


def test_help_shows_the_way_through(toolc: Toolc) -> None:
    steps = re.findall(r"^  toolc (\w+) ", toolc("--help").stdout, re.MULTILINE)
    assert steps == ["init", "check", "test", "compile", "show", "run"]


def test_check_counts_and_exits_by_errors(toolc: Toolc, tmp_path: Path) -> None:
    write(tmp_path, good=GOOD)
    fine = toolc("check", ".")
    assert (fine.returncode, fine.stdout) == (0, "")
    assert fine.stderr == "1 file: no problems\n"
    write(tmp_path, bad=BAD.replace("sums", "others"))
    found = toolc("check", ".", "--format", "json")
    assert found.returncode == 1
    assert found.stderr == "2 files: 1 error\n"
    (line,) = found.stdout.splitlines()
    assert json.loads(line)["path"] == "bad.toolc"


def test_files_that_cannot_be_read(toolc: Toolc, tmp_path: Path) -> None:
    (tmp_path / "noise.toolc").write_bytes(b"toolc 1\n\xff\xfe\x00")
    (tmp_path / "folder.toolc").mkdir()
    os.mkfifo(tmp_path / "pipe.toolc")
    (tmp_path / "gone.toolc").symlink_to("nowhere")
    write(tmp_path, good=GOOD)
    ended = toolc("check", ".", "--format", "plain")
    assert ended.returncode == 1
    assert "line 2 is not UTF-8 text (at byte 8)" in ended.stdout
    assert "it is not a plain file" in ended.stdout
    assert "no such file or directory" in ended.stdout
    assert ended.stderr == "1 file: 3 errors\n"


def test_a_link_out_of_the_folder_is_refused(toolc: Toolc, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    write(tmp_path, good=GOOD)
    (inner / "link.toolc").symlink_to(tmp_path / "good.toolc")
    ended = toolc("check", "inner", "--format", "plain")
    assert ended.returncode == 1
    assert "is not inside" in ended.stdout
    assert toolc("check", ".").returncode == 0


def test_two_environments_of_one_name(toolc: Toolc, tmp_path: Path) -> None:
    write(tmp_path, one=GOOD, two=GOOD)
    ended = toolc("compile", ".", "--format", "plain")
    assert ended.returncode == 1
    assert "environment `sums` is declared in `one.toolc` too" in ended.stdout
    assert not (tmp_path / "build").exists()


def test_format_in_place_and_from_standard_input(toolc: Toolc, tmp_path: Path) -> None:
    write(tmp_path, good=GOOD, ugly=GOOD.replace("  return", "return"), broken=BROKEN)
    listed = toolc("fmt", "--check", "good.toolc", "ugly.toolc")
    assert (listed.returncode, listed.stdout) == (1, "ugly.toolc\n")
    shown = toolc("fmt", "--diff", "ugly.toolc")
    assert shown.returncode == 1
    assert "-return a + b\n+  return a + b\n" in shown.stdout
    assert (tmp_path / "ugly.toolc").read_text() != GOOD
    ended = toolc("fmt", ".")
    assert ended.returncode == 1
    assert ended.stderr == "1 of 3 files changed, 1 problem\n"
    assert (tmp_path / "ugly.toolc").read_text() == GOOD
    assert (tmp_path / "broken.toolc").read_text() == BROKEN
    piped = toolc("fmt", "--stdin", input=GOOD.replace("  return", "return"))
    assert (piped.returncode, piped.stdout) == (0, GOOD)
    assert toolc("fmt", "--stdin", input=BROKEN).returncode == 1
    assert toolc("fmt", "--stdin", "--check", input=GOOD).returncode == 0


def test_compile_run_and_keep_the_old_build(toolc: Toolc, tmp_path: Path) -> None:
    write(tmp_path, good=GOOD)
    ended = toolc("compile", "good.toolc", "-o", "out", "--format", "json")
    assert ended.returncode == 0, ended.stderr + ended.stdout
    built = json.loads(ended.stdout.splitlines()[-1])
    assert list(built["environments"]) == ["sums"]
    played = toolc("run", "out/sums", "--format", "json")
    assert played.returncode == 0, played.stderr + played.stdout
    events = [json.loads(line) for line in played.stdout.splitlines()]
    assert [event["result"] for event in events if event["type"] == "call"] == [3]
    assert events[-1]["reward"] == 1
    called = toolc("run", "out/sums", "--call", "add", '{"a": 2}', "--call", "add", "{")
    assert called.returncode == 0, called.stderr
    assert "result   3" in called.stdout and "(rejected)" in called.stdout
    assert toolc("run", "out/sums", "--task", "four").returncode == 2

    before = {p.name: p.read_bytes() for p in (tmp_path / "out" / "sums").iterdir() if p.is_file()}
    write(tmp_path, good=BAD)
    failed = toolc("compile", "good.toolc", "-o", "out")
    assert failed.returncode == 1
    assert "nothing written: 1 error" in failed.stderr
    after = {p.name: p.read_bytes() for p in (tmp_path / "out" / "sums").iterdir() if p.is_file()}
    assert after == before


def test_jobs_change_nothing(toolc: Toolc, tmp_path: Path) -> None:
    write(tmp_path, **{f"e{n}": GOOD.replace("sums", f"sums{n}") for n in range(3)})
    assert toolc("compile", ".", "-o", "one", "--jobs", "1").returncode == 0
    assert (
        toolc("compile", "e2.toolc", "e1.toolc", "e0.toolc", "-o", "two", "-j", "3").returncode == 0
    )
    one, two = (
        {
            str(p.relative_to(tmp_path / root)): p.read_bytes()
            for p in (tmp_path / root).rglob("*.*")
        }
        for root in ("one", "two")
    )
    assert one == two


def test_replay_a_file_with_good_and_bad_lines(toolc: Toolc, tmp_path: Path) -> None:
    write(tmp_path, good=GOOD)
    assert toolc("compile", "good.toolc", "-o", "out").returncode == 0
    call = {"name": "add", "arguments": {"a": 1}, "result": 2.0, "error": False}
    good = json.dumps({"id": "x", "calls": [call], "changes": {}})
    traces = tmp_path / "traces.jsonl"
    traces.write_text(good + "\n\n" + good + "\n")
    fine = toolc("replay", "out/sums", "traces.jsonl", "--format", "json")
    assert fine.returncode == 0, fine.stderr
    assert json.loads(fine.stdout)["matching_calls"] == 2
    traces.write_bytes(good.encode() + b"\n{\n\xff\n" + good.replace("2.0", "3").encode())
    ended = toolc("replay", "out/sums", "traces.jsonl")
    assert ended.returncode == 1
    assert "line 2: malformed JSON" in ended.stdout
    assert "line 3: not UTF-8 text" in ended.stdout
    assert "line 4, x, call 0: add: another result (ok)" in ended.stdout
    assert "calls     1 of 2 match, 0 set apart" in ended.stdout
    assert toolc("replay", "out/sums", "missing").returncode == 2


INTERRUPTED = """
import signal, sys
import toolc.output
from toolc.cli import main

def interrupt(path):
    signal.raise_signal(signal.SIGINT)
toolc.output.sync = interrupt
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in background
sys.exit(main(["compile", "good.toolc", "-o", "out", "--quiet"]))
"""


def test_interrupted_while_it_writes(toolc: Toolc, tmp_path: Path) -> None:
    write(tmp_path, good=GOOD)
    assert toolc("compile", "good.toolc", "-o", "out").returncode == 0
    before = (tmp_path / "out" / "manifest.json").read_bytes()
    write(tmp_path, good=GOOD.replace('"1.0"', '"2.0"'))
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "runtime")])}
    command = [sys.executable, "-c", INTERRUPTED]
    ended = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert ended.returncode == 130
    assert ended.stderr == "toolc: interrupted\n"
    assert (tmp_path / "out" / "manifest.json").read_bytes() == before
    assert sorted(os.listdir(tmp_path)) == ["good.toolc", "out"]


def test_a_missing_comma_hides_nothing_else(toolc: Toolc, tmp_path: Path) -> None:
    source = GOOD.replace('"The first.", b', '"The first." b').replace("a + b", "a + c")
    write(tmp_path, both=source)
    ended = toolc("check", "both.toolc", "--format", "json")
    assert [json.loads(line)["code"] for line in ended.stdout.splitlines()] == ["TC0102", "TC0201"]
    assert toolc("compile", "both.toolc", "-o", "out").returncode == 1
    assert not (tmp_path / "out").exists()
