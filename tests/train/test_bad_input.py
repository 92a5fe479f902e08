"""What `toolc train` says to what it cannot use, and what it leaves where it was stopped."""

from __future__ import annotations

import json
import logging
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.conftest import ROOT
from toolc.cli import main
from toolc.train.failures import of_the_disk

torch = pytest.importorskip("torch")
pytest.importorskip("trl")

CONFIG = """\
build = "{build}"
output = "run"
threads = 1
[data]
families = 0.2
[tiny]
vocabulary = 500
hidden = 32
layers = 1
heads = 2
intermediate = 32
[sft]
steps = 4
batch = 4
save_every = 2
[rl]
steps = 2
prompts = 2
group = 2
max_tokens = 24
max_rounds = 1
save_every = 1
[evaluation]
max_tokens = 8
"""


class Ended(NamedTuple):
    status: int
    told: str


Train = Callable[..., Ended]


@pytest.fixture
def train(
    town_build: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Train:
    """Trains in the test's folder and this process, which has torch already, as a file says to
    which lines are added, and by further options."""
    monkeypatch.chdir(tmp_path)
    # Libraries log to the stream that was there when they were imported.
    monkeypatch.setattr(logging, "raiseExceptions", False)
    for name in ("HF_HUB_OFFLINE", "OMP_WAIT_POLICY", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, "1" if name == "HF_HUB_OFFLINE" else "PASSIVE")

    def run(*options: str, text: str = "", **tables: str) -> Ended:
        known = CONFIG.format(build=town_build)
        for name, lines in tables.items():
            known = known.replace(f"[{name}]\n", f"[{name}]\n{lines}\n")
        (tmp_path / "run.toml").write_text(known + text, "utf-8")
        capsys.readouterr()
        status = main(["train", "run.toml", "--tiny", *options])
        return Ended(status, capsys.readouterr().err)

    return run


def refused(ended: Ended, message: str) -> None:
    """One line that says what is wrong."""
    assert ended.status == 2, ended.told
    last = ended.told.splitlines()[-1]
    assert last.startswith("toolc: ") and message in last, ended.told
    assert "Traceback" not in ended.told


# ---------------------------------------------------------------- options and files


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("[trainer]\noutput_dir = 'x'", [], "`trainer.output_dir` is given by `output`"),
        ("[trainer]\nuse_vlm = true", [], "SFTConfig or GRPOConfig; did you mean `use_vllm`?"),
        ("[trainer]\nlr_scheduler_type = 'wave'", [], "TRL's SFTConfig refuses its options: "),
        ("[trainer.rl]\nlr_scheduler_type = 'wave'", [], "TRL's GRPOConfig refuses its options: "),
        ("[trainer.rl]\npacking = true", [], "no option `packing` of TRL's GRPOConfig"),
        ("[trainer.sft]\nuse_vlm = true", ["--stages", "rl"], "`use_vlm` of TRL's SFTConfig"),
        ("[trainer.rl.chat_template_kwargs]\ntools = 1", [], "`trainer.chat_template_kwargs` is a"),
        ("[trainer]\nbf17 = true", ["--stages", "sft"], "there is no option `bf17`"),
        ("", ["--stages", "rl,sft"], "`stages` must be in the order sft, rl"),
        ("", ["--model", "nowhere/model"], "cannot load the model `nowhere/model`"),
        ("", ["--build", "nowhere"], "`nowhere` holds no build"),
        ("", ["--output", "run.toml/x"], "cannot write `run.toml/x`: not a directory"),
    ],
)
def test_options_that_cannot_be_used_are_told(
    train: Train, text: str, options: list[str], message: str
) -> None:
    refused(train(*options, text=text), message)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('hold_out = ["town"]', "`data.hold_out` leaves no task to train on"),
        ('hold_out = ["village"]', "there is no environment `village` in the build"),
        ("max_tokens = 3", "no task to train on is short enough: raise `data.max_tokens`"),
    ],
)
def test_data_without_a_task_is_told(train: Train, data: str, message: str) -> None:
    refused(train(data=data), message)


@pytest.mark.parametrize("windows", [1, 3])
def test_steps_that_gather_gradients_take_as_many_more_rows(
    train: Train, monkeypatch: pytest.MonkeyPatch, windows: int
) -> None:
    from toolc.train import stages
    from toolc.train.trl_adapter import Unsupported

    taken: list[int] = []

    def sft(model: Any, tokenizer: Any, examples: list[Any], *rest: Any) -> Any:
        taken.append(len(examples))
        raise Unsupported("enough")

    def rl(model: Any, tokenizer: Any, rows: list[Any], *rest: Any, **named: Any) -> Any:
        taken.append(len(rows))
        raise Unsupported("enough")

    monkeypatch.setattr(stages, "sft_trainer", sft)
    monkeypatch.setattr(stages, "rl_trainer", rl)
    trainer = f"[trainer]\ngradient_accumulation_steps = {windows}"
    for stage in ("sft", "rl"):
        refused(train("--stages", stage, "--output", stage, text=trainer), "enough")
    assert taken == [4 * 4 * windows, 2 * 2 * windows]


def test_the_trajectories_are_looked_at_before_anything_is_trained(
    train: Train, tmp_path: Path
) -> None:
    rl = 'unit = "message"\ntrajectories = "none.jsonl"\n'
    refused(train(rl=rl), "cannot read `none.jsonl`: no such file")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "cannot read `other.toml`: no such file"),
        (b"\xff", "`other.toml` is not UTF-8"),
        (b"a = [", "`other.toml`: not TOML"),
        (b"[" * 100_000, "`other.toml`: not TOML"),
        (b"#" * 1_000_001, "cannot read `other.toml`: it is larger than"),
    ],
)
def test_files_that_are_no_configuration_are_told(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    content: bytes | None,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "other.toml").write_bytes(content)
    refused(Ended(main(["train", "other.toml"]), capsys.readouterr().err), message)


def test_neither_file_nor_model_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    refused(Ended(main(["train"]), capsys.readouterr().err), "give a CONFIG.toml, or --tiny")


def test_a_build_that_was_edited_is_refused(train: Train, town_build: Path, tmp_path: Path) -> None:
    build = tmp_path / "build"
    shutil.copytree(town_build, build)
    with open(build / "town" / "tools.py", "a", encoding="utf-8") as file:
        file.write("# edited\n")
    refused(train("--build", str(build)), "town/tools.py is not what the compiler wrote")
    shutil.copytree(town_build, build, dirs_exist_ok=True)
    manifest = json.loads((build / "manifest.json").read_text("utf-8"))
    del manifest["audits"]
    (build / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    refused(train("--build", str(build)), "was not audited as it is now: run `toolc audit ")
    assert not (tmp_path / "run").exists()


def test_folders_of_others_are_left_alone(train: Train, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("mine", "utf-8")
    refused(train(), "`run` holds something else than a run")
    assert [each.name for each in (tmp_path / "run").iterdir()] == ["thesis.txt"]


def test_runs_of_other_commands_are_left_alone(train: Train, tmp_path: Path) -> None:
    known = b'{"format": 1, "policy": {"name": "noop"}}'
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_bytes(known)
    refused(train(), "`run/run.json` is not of a run of `toolc train`: give another folder")
    assert (tmp_path / "run" / "run.json").read_bytes() == known


@pytest.mark.slow
@pytest.mark.parametrize("more", [[], ["--fresh"]])
def test_the_run_of_a_training_is_left_alone_by_evaluations(
    whole: Path, town_build: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    files = [whole / "run.json", whole / "summary.json"]
    known = [each.read_bytes() for each in files]
    options = ["--policy", "noop", "-o", str(whole), *more]
    status = main(["eval", str(town_build), *options])
    refused(
        Ended(status, capsys.readouterr().err), "holds a run of `toolc train`: -o takes another"
    )
    assert [each.read_bytes() for each in files] == known


def test_a_run_is_for_one_process(train: Train, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom toolc.eval.store import held\n"
        "with held('run'):\n    open('run/run.json', 'w').write('{}')\n"
        "    print(flush=True)\n    input()\n"
    )
    paths = f"{ROOT}:{ROOT / 'runtime'}"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PYTHONPATH": paths},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdin is not None and other.stdout is not None
        other.stdout.readline()
        refused(train(), "another toolc writes to `run`")
        assert (tmp_path / "run" / "run.json").read_text("utf-8") == "{}"
        other.stdin.write(b"\n")
        other.stdin.close()


# ---------------------------------------------------------------- models


@pytest.fixture(scope="module")
def whole(town_build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "run.toml").write_text(CONFIG.format(build=town_build), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HF_HUB_OFFLINE", "1")
        assert main(["train", "run.toml", "--tiny"]) == 0
    return folder / "run"


def tear(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_is_told_and_another_is_taken(
    train: Train, whole: Path, tmp_path: Path
) -> None:
    shutil.copytree(whole / "sft" / "model", tmp_path / "model")
    tear(tmp_path / "model" / "model.safetensors")
    options = ("--model", "model", "--stages", "rl", "--rl-steps", "1")
    refused(train(*options), "cannot load the model `model`: ")
    shutil.copy(whole / "sft" / "model" / "model.safetensors", tmp_path / "model")
    config = json.loads((tmp_path / "model" / "config.json").read_text("utf-8"))
    (tmp_path / "model" / "config.json").write_text(
        json.dumps({**config, "hidden_size": 64}), "utf-8"
    )
    refused(train(*options), "cannot load the model `model`: ")
    refused(train(*options, "--model", "none"), "cannot load the model `none`: ")


@pytest.mark.slow
def test_a_checkpoint_that_does_not_fit_is_told(train: Train, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "rl" / "model")
    tear(tmp_path / "run" / "rl" / "checkpoint-2" / "model.safetensors")
    ended = train()
    refused(ended, "cannot go on from `run/rl/checkpoint-2`: ")
    shutil.rmtree(tmp_path / "run" / "rl" / "checkpoint-2")
    ended = train()
    assert ended.status == 0, ended.told
    assert "rl: going on from step 1" in ended.told
    assert weights(tmp_path / "run") == weights(whole)


def weights(run: Path) -> list[bytes]:
    """What the stages ended with."""
    stages = ("init", "sft", "rl")
    return [(run / stage / "model" / "model.safetensors").read_bytes() for stage in stages]


@pytest.mark.slow
def test_other_values_are_told_and_other_places_are_none(
    train: Train, whole: Path, tmp_path: Path
) -> None:
    shutil.copytree(whole, tmp_path / "run")
    shutil.copytree(whole, tmp_path / "moved")
    refused(train("--seed", "3"), "the run in `run` has `config.seed` 0, not 3: give another")
    ended = train("--output", "moved", "--threads", "2")
    assert ended.status == 0, ended.told
    kept = [
        json.loads((each / "summary.json").read_text("utf-8"))
        for each in (whole, tmp_path / "moved")
    ]
    assert kept[0] == kept[1]  # the time that it took too


@pytest.mark.slow
def test_a_tokenizer_that_was_damaged_is_told(train: Train, whole: Path, tmp_path: Path) -> None:
    shutil.copytree(whole, tmp_path / "run")
    tear(tmp_path / "run" / "init" / "model" / "tokenizer.json")
    refused(train(), "cannot load the model `run/init/model`: ")


@pytest.mark.slow
def test_what_breaks_after_a_checkpoint_was_read_is_not_its_fault(
    train: Train, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from toolc.train import stages
    from toolc.train.trl_adapter import sft_trainer

    shutil.copytree(whole, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "sft" / "model")
    shutil.rmtree(tmp_path / "run" / "sft" / "checkpoint-4")
    full = torch.OutOfMemoryError("CUDA out of memory")

    def built(*arguments: Any, **named: Any) -> Any:
        trainer = sft_trainer(*arguments, **named)
        trainer.compute_loss = raising(full)
        return trainer

    monkeypatch.setattr(stages, "sft_trainer", built)
    refused(train(), "the accelerator's memory is full: take half of `sft.batch`")
    assert (tmp_path / "run" / "sft" / "checkpoint-2" / "complete").exists()


def raising(error: Exception) -> Callable[..., Any]:
    def raised(*arguments: Any, **named: Any) -> Any:
        raise error

    return raised


# ---------------------------------------------------------------- stopped on the way


@contextmanager
def files_up_to(size: int) -> Iterator[None]:
    """While it lasts, no file grows beyond a size, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def left(run: Path) -> list[str]:
    """Models and checkpoints, and what is on the way to be one."""
    found = [each for each in run.glob("[!t]*/*") if each.is_dir() and each.name != "evaluation"]
    return sorted(str(each.relative_to(run)) for each in found)


@pytest.mark.slow
def test_a_full_disk_loses_nothing_that_was_whole(
    train: Train, whole: Path, tmp_path: Path
) -> None:
    model = (whole / "init" / "model" / "model.safetensors").stat().st_size
    run = tmp_path / "run"
    for room, known in ((model // 2, []), (model * 3 // 2, ["init/model"])):
        with files_up_to(room):
            ended = train()
        refused(ended, "cannot write `run`: ")
        assert "the same command goes on from what is whole" in ended.told
        assert left(run) == known
    ended = train()
    assert ended.status == 0, ended.told
    assert weights(run) == weights(whole)


Place = tuple[Any, str]


def places() -> dict[str, Place]:
    """By stage a function that is called in the middle of it."""
    from toolc.train import checkpoints, generation, metrics, models

    return {
        "init": (models, "save"),
        "evaluation": (generation.Generator, "_draw"),
        "sft": (checkpoints, "mark"),
        "rl": (metrics, "append"),
    }


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT raises, also in a suite started in a shell's background, where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.slow
@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_at_any_stage_loses_nothing_that_was_whole(
    train: Train, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "run"
    known = {
        "init": [],
        "evaluation": ["init/model"],
        "sft": ["init/model"],
        "rl": ["init/model", "sft/checkpoint-2", "sft/checkpoint-4", "sft/model"],
    }
    for stage, (where, name) in places().items():
        with monkeypatch.context() as patch:
            patch.setattr(where, name, stopping(getattr(where, name), stage))
            ended = train()
        assert ended.status == 130, (stage, ended.told)
        assert ended.told.splitlines()[-2:] == [
            "what is whole stays in `run`; the same command goes on",
            "toolc: interrupted",
        ]
        assert left(run) == known[stage], stage
    ended = train()
    assert ended.status == 0, ended.told
    assert weights(run) == weights(whole)
    figures = [json.loads((each / "summary.json").read_text("utf-8")) for each in (run, whole)]
    assert figures[0]["solve_f1"] == figures[1]["solve_f1"]


def stopping(function: Callable[..., Any], stage: str) -> Callable[..., Any]:
    """The function, during which the person at the terminal presses Ctrl-C."""

    def stopped(*arguments: Any, **named: Any) -> Any:
        if stage != "rl" or "rl" in arguments:
            signal.raise_signal(signal.SIGINT)
        return function(*arguments, **named)

    return stopped


# ---------------------------------------------------------------- errors of the disk


def caused(error: Exception, by: Exception) -> Exception:
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(28, "No space left on device"), "no space left on device"),
        (caused(ValueError("x"), OSError(122, "quota")), "disk quota exceeded"),
        (RuntimeError("Error while serializing: I/O error: x (os error 27)"), "file too large"),
        (RuntimeError("PytorchStreamWriter failed writing file data/3"), "the disk did not take"),
        (OSError(2, "No such file"), None),
        (RuntimeError("x (os error 2)"), None),
        (ValueError("unexpected"), None),
    ],
)
def test_errors_of_the_disk_are_known(error: Exception, reason: str | None) -> None:
    found = of_the_disk(error)
    assert found is None if reason is None else found is not None and found.startswith(reason)
