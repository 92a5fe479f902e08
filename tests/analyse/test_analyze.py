"""`toolc analyze`: changes of parameters that are known beforehand, and drift on a text."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as xml
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.eval.tiny import saved
from toolc.analyse.place import place_of
from toolc.cli import main

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")


class Ended(NamedTuple):
    """A command that has run in this process, which has torch already."""

    returncode: int
    stdout: str
    stderr: str


Weights = dict[str, Any]
Toolc = Callable[..., Ended]
TEXT = "Rivers run to the sea, and none of them asks the way.\n" * 20


@pytest.fixture
def toolc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Toolc:
    """Runs a command line in the test's folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("HF_HUB_OFFLINE", "TOKENIZERS_PARALLELISM"):
        monkeypatch.setenv(name, "1")

    def run(*arguments: str) -> Ended:
        capsys.readouterr()
        status = main(arguments)
        return Ended(status, *capsys.readouterr())

    return run


def weights_of(folder: Path) -> Weights:
    from safetensors.torch import load_file

    return dict(load_file(folder / "model.safetensors"))


def save(weights: Weights, path: Path) -> None:
    from safetensors.torch import save_file

    save_file(weights, path, metadata={"format": "pt"})


@pytest.fixture(scope="module")
def before(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of random weights, head and embeddings apart."""
    return saved(tmp_path_factory.mktemp("models") / "before", None)


@pytest.fixture
def after(before: Path, tmp_path: Path) -> Path:
    """The same, after its query projection has grown by a tenth and its last norm by a half."""
    folder = saved(tmp_path / "after", None)
    weights = weights_of(before)
    weights["model.layers.0.self_attn.q_proj.weight"] *= 1.1
    weights["model.norm.weight"] *= 1.5
    save(weights, folder / "model.safetensors")
    return folder


def analysed(toolc: Toolc, *arguments: str | Path) -> Any:
    ended = toolc("analyze", *map(str, arguments), "--format", "json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("model.embed_tokens.weight", ("", None, "embeddings")),
        ("model.layers.11.self_attn.q_proj.weight", ("model.layers", 11, "q")),
        ("model.layers.11.self_attn.k_proj.bias", ("model.layers", 11, "k")),
        ("model.layers.0.self_attn.v_proj.weight", ("model.layers", 0, "v")),
        ("model.layers.0.self_attn.o_proj.weight", ("model.layers", 0, "o")),
        ("model.layers.0.self_attn.qkv_proj.weight", ("model.layers", 0, "qkv")),
        ("model.layers.0.self_attn.q_norm.weight", ("model.layers", 0, "norm")),
        ("model.layers.0.post_attention_layernorm.weight", ("model.layers", 0, "norm")),
        ("model.layers.3.mlp.gate_proj.weight", ("model.layers", 3, "mlp")),
        ("model.layers.3.mlp.experts.7.down_proj.weight", ("model.layers", 3, "mlp")),
        ("model.layers.3.mlp.gate.weight", ("model.layers", 3, "mlp")),
        ("transformer.h.2.attn.c_attn.weight", ("transformer.h", 2, "qkv")),
        ("transformer.h.2.attn.c_proj.weight", ("transformer.h", 2, "o")),
        ("transformer.h.2.mlp.c_proj.weight", ("transformer.h", 2, "mlp")),
        ("transformer.h.2.ln_1.weight", ("transformer.h", 2, "norm")),
        ("transformer.wte.weight", ("", None, "embeddings")),
        ("gpt_neox.layers.5.attention.query_key_value.weight", ("gpt_neox.layers", 5, "qkv")),
        ("gpt_neox.layers.5.attention.dense.weight", ("gpt_neox.layers", 5, "o")),
        ("gpt_neox.layers.5.mlp.dense_4h_to_h.weight", ("gpt_neox.layers", 5, "mlp")),
        ("lm_head.weight", ("", None, "head")),
        ("model.norm.weight", ("", None, "norm")),
        ("something", ("", None, "other")),
    ],
)
def test_names_tell_layer_and_module(name: str, place: tuple[str, int | None, str]) -> None:
    assert place_of(name) == place


def test_a_change_stands_where_it_was_made(toolc: Toolc, before: Path, after: Path) -> None:
    found = analysed(toolc, before, after)
    layer, elsewhere = found["layers"]
    assert (layer["layer"], elsewhere["layer"]) == (0, None)
    assert layer["modules"]["q"]["relative"] == pytest.approx(0.1, rel=1e-5)
    assert elsewhere["modules"]["norm"]["relative"] == pytest.approx(0.5)
    assert {layer["modules"][name]["relative"] for name in ("k", "v", "o", "mlp")} == {0}
    weights, grown = weights_of(before), weights_of(after)
    squares = sum(float((grown[each] - weights[each]).square().sum()) for each in weights)
    size = sum(float(weights[each].square().sum()) for each in weights)
    assert found["total"]["relative"] == pytest.approx(math.sqrt(squares / size), rel=1e-5)
    assert found["total"]["parameters"] == sum(each.numel() for each in weights.values())
    moved = weights["model.norm.weight"].numel() + 256
    assert found["total"]["changed"] == pytest.approx(moved / found["total"]["parameters"])
    assert found["text"] is None


def test_the_table_and_the_plot_say_the_same(
    toolc: Toolc, before: Path, after: Path, tmp_path: Path
) -> None:
    ended = toolc("analyze", str(before), str(after), "--plot", "change <&>.svg")
    assert ended.returncode == 0, ended.stderr
    head, layer, elsewhere, total, changed = ended.stdout.splitlines()
    assert head.split()[3:] == ["embeddings", "q", "k", "v", "o", "mlp", "norm", "head", "all"]
    assert layer.split()[:6] == ["0", "0.1000", "0", "0", "0", "0"]
    assert elsewhere.split()[:3] == ["elsewhere", "0", "0.5000"]
    assert total.split()[0] == "all"
    assert "parameters have changed" in changed
    drawn = xml.parse(tmp_path / "change <&>.svg").getroot()
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"0.1000", "0.5000", "elsewhere", "mlp"} <= set(texts)


def test_parts_and_types_of_a_model_do_not_matter(
    toolc: Toolc, before: Path, after: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = analysed(toolc, before, after)
    folder = saved(tmp_path / "sharded", None)
    (folder / "model.safetensors").unlink()
    weights = weights_of(after)
    index: dict[str, str] = {}
    for at, names in enumerate((list(weights)[::2], list(weights)[1::2])):
        file = f"model-0000{at + 1}-of-00002.safetensors"
        save({name: weights[name].double() for name in names}, folder / file)
        index |= dict.fromkeys(names, file)
    text = json.dumps({"metadata": {}, "weight_map": index})
    (folder / "model.safetensors.index.json").write_text(text, encoding="utf-8")
    monkeypatch.setattr("toolc.analyse.checkpoint._PART", 50)
    assert analysed(toolc, before, folder)["tensors"] == whole["tensors"]


def test_a_stage_of_a_run_is_the_model_it_ended_with(
    toolc: Toolc, before: Path, after: Path, tmp_path: Path
) -> None:
    for stage, model in (("sft", before), ("rl", after)):
        (tmp_path / "run" / stage).mkdir(parents=True)
        (tmp_path / "run" / stage / "model").symlink_to(model)
    found = analysed(toolc, tmp_path / "run" / "sft", tmp_path / "run" / "rl")
    assert found["layers"][0]["modules"]["q"]["relative"] == pytest.approx(0.1, rel=1e-5)
    ended = toolc("analyze", "run", str(after))
    assert ended.returncode == 2
    assert "is a run: name one of its stages, `run/rl` or `run/sft`" in ended.stderr


def test_values_that_are_no_numbers_are_told(toolc: Toolc, before: Path, after: Path) -> None:
    weights = weights_of(before)
    weights["lm_head.weight"][0, 0] = math.nan
    save(weights, after / "model.safetensors")
    found = analysed(toolc, before, after)
    assert found["modules"]["head"]["relative"] is None
    assert found["modules"]["q"]["relative"] == 0
    assert " ? " in toolc("analyze", str(before), str(after)).stdout


# ---------------------------------------------------------------- other text


def test_a_model_does_not_drift_from_itself(toolc: Toolc, before: Path, tmp_path: Path) -> None:
    (tmp_path / "text").write_text(TEXT, encoding="utf-8")
    found = analysed(toolc, before, before, "--text", "text")["text"]
    assert found["kl"] == pytest.approx(0, abs=1e-9)
    assert found["agreement"] == 1
    assert found["perplexity"]["a"] == found["perplexity"]["b"]
    assert found["windows"] == -(-len(TEXT) // found["context"])


def test_drift_is_perplexity_and_divergence_of_the_models(
    toolc: Toolc, before: Path, after: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM, AutoTokenizer

    (tmp_path / "text").write_text(TEXT, encoding="utf-8")
    options = ("--text", "text", "--tokens", "300", "--context", "140")
    found = analysed(toolc, before, after, *options)["text"]
    tokenizer: Any = AutoTokenizer.from_pretrained(before)
    models: list[Any] = [AutoModelForCausalLM.from_pretrained(each) for each in (before, after)]
    ids = tokenizer(TEXT)["input_ids"][:300]
    losses, divergences = [0.0, 0.0], 0.0
    with torch.no_grad():
        for window in (ids[:140], ids[140:280], ids[280:]):
            given = torch.tensor([window])
            logs = [model(given).logits[0].log_softmax(-1) for model in models]
            for at, token in enumerate(window[1:]):
                losses = [
                    loss - log[at, token].item() for loss, log in zip(losses, logs, strict=True)
                ]
                divergences += (logs[0][at].exp() * (logs[0][at] - logs[1][at])).sum().item()
    assert (found["tokens"], found["windows"], found["context"]) == (297, 3, 140)
    assert found["perplexity"]["a"] == pytest.approx(math.exp(losses[0] / 297), rel=1e-4)
    assert found["perplexity"]["b"] == pytest.approx(math.exp(losses[1] / 297), rel=1e-4)
    assert found["kl"] == pytest.approx(divergences / 297, rel=1e-3)
    assert found["kl"] > 0


# ---------------------------------------------------------------- what cannot be compared


def other_shape(folder: Path) -> None:
    weights = weights_of(folder)
    weights["lm_head.weight"] = weights["lm_head.weight"][:, :8].contiguous()
    save(weights, folder / "model.safetensors")


def other_names(folder: Path) -> None:
    weights = weights_of(folder)
    del weights["lm_head.weight"]
    save(weights, folder / "model.safetensors")


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def torn(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[: len(content) // 2])


def adapters(folder: Path) -> None:
    about = json.dumps({"base_model_name_or_path": "some/model\x1b"})
    (folder / "adapter_config.json").write_text(about, encoding="utf-8")


def index(text: str) -> Any:
    def write(folder: Path) -> None:
        (folder / "model.safetensors.index.json").write_text(text, encoding="utf-8")

    return write


def checkpoints(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "checkpoint-20").mkdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (other_shape, "`lm_head.weight` is 265 x 16 in "),
        (other_names, "these are different models: `"),
        (pickled, "holds pickled weights (`pytorch_model.bin`), which run code"),
        (torn, "cannot read `"),
        (adapters, "holds adapters of `some/model\\u{1b}`, not a model: merge them"),
        (checkpoints, "holds checkpoints: name one of them, "),
        (index("{"), "model.safetensors.index.json` is not JSON"),
        (index('{"weight_map": {"a": "../model.safetensors"}}'), "is no index of weights"),
        (index('{"weight_map": {"a": "b.safetensors"}}'), "lacks `b.safetensors`"),
        (lambda folder: (folder / "model.safetensors").unlink(), "holds no weights of a model"),
    ],
)
def test_what_is_no_model_or_another_one_is_told(
    toolc: Toolc, before: Path, after: Path, spoil: Any, message: str
) -> None:
    spoil(after)
    ended = toolc("analyze", str(before), str(after))
    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (None, (), "cannot read `text`: no such file"),
        (b"", (), "`text` is empty"),
        (b" \n", (), "`text` is empty"),
        (b"a\nb\xff\n", (), "cannot read `text`: line 2 is not UTF-8"),
        (b"ab", ("--tokens", "1"), "the text is too short"),
        (b"ab", ("--context", "9000"), "the models read 8192 tokens at a time, not 9000"),
    ],
)
def test_text_that_cannot_be_compared_is_told(
    toolc: Toolc,
    before: Path,
    tmp_path: Path,
    content: bytes | None,
    options: tuple[str, ...],
    message: str,
) -> None:
    if content is not None:
        (tmp_path / "text").write_bytes(content)
    ended = toolc("analyze", str(before), str(before), "--text", "text", *options)
    assert ended.returncode == 2
    assert message in ended.stderr
    assert ended.stdout == ""


def test_other_tokenizers_and_code_are_refused(
    toolc: Toolc, before: Path, after: Path, tmp_path: Path
) -> None:
    (tmp_path / "text").write_text(TEXT, encoding="utf-8")
    path = after / "tokenizer.json"
    known = path.read_text(encoding="utf-8")
    path.write_text(known.replace("[TOOL_CALLS]", "[CALLS]"), encoding="utf-8")
    ended = toolc("analyze", str(before), str(after), "--text", "text")
    assert ended.returncode == 2
    assert "have other tokenizers" in ended.stderr
    path.write_text(known, encoding="utf-8")
    config = json.loads((after / "config.json").read_text(encoding="utf-8"))
    config["model_type"] = "own"
    config["auto_map"] = {
        "AutoConfig": "own.Config",
        "AutoModelForCausalLM": "own.Model",
    }
    (after / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (after / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')", encoding="utf-8")
    ended = toolc("analyze", str(before), str(after), "--text", "text")
    assert ended.returncode == 2
    assert "cannot load the " in ended.stderr
    assert not (tmp_path / "ran").exists()


def test_a_plot_that_cannot_be_written_is_told(toolc: Toolc, before: Path) -> None:
    ended = toolc("analyze", str(before), str(before), "--plot", "no/where.svg")
    assert ended.returncode == 2
    assert "cannot write `no/where.svg`: no such file" in ended.stderr
