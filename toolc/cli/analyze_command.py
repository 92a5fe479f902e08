"""`toolc analyze`: how far training has moved a model, in its parameters and on other text."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from toolc.cli.progress import Progress
from toolc.cli.terminal import Subparsers, UsageError, add_format, epilog, positive, say

if TYPE_CHECKING:
    from toolc.analyse.change import Changes
    from toolc.analyse.drift import Drift

TOKENS = 20_000
CONTEXT = 1_024
TEXT = 64 << 20
"""Bytes of a text, at most."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "analyze",
        description="Say how far training has moved a model: the change of its parameters relative "
        "to their size, by layer and module, and with --text what it has done to predictions of "
        "text that has nothing to do with tools.",
        epilog=epilog(
            {
                "toolc analyze run/sft run/rl": "what reinforcement has changed",
                "toolc analyze Qwen3-0.6B run/rl --plot change.svg": "as a picture too",
                "toolc analyze run/init run/rl --text book.txt": "drift on other text",
            },
            "compared",
            about="A checkpoint is a folder with safetensors, in one file or several, or a stage "
            "of a run of `toolc train`. Pickled weights are refused, since they run code.",
        ),
    )
    parser.add_argument("a", metavar="CHECKPOINT_A", help="the folder of a model")
    parser.add_argument("b", metavar="CHECKPOINT_B", help="of the same model after training")
    parser.add_argument("--plot", metavar="FILE.svg", help="also draw the changes")
    parser.add_argument("--text", metavar="FILE", help="also compare what both predict of a text")
    parser.add_argument(
        "--tokens",
        type=positive,
        default=TOKENS,
        metavar="N",
        help="of the text, at most (default: %(default)s)",
    )
    parser.add_argument(
        "--context",
        type=positive,
        metavar="N",
        help=f"tokens of a window of the text (default: what the models read, at most {CONTEXT})",
    )
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.analyse.checkpoint import CheckpointError
    from toolc.analyse.drift import DriftError
    from toolc.diagnostics.catalogue import visible

    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    text = None if args.text is None else _text(args.text)
    try:
        folders, changes = _changes(args)
        drift = None if text is None else _drift(args, folders, text)
    except ImportError as error:
        raise UsageError(f"{error.name} is missing: install toolc with its `train` extra") from None
    except (CheckpointError, DriftError) as error:
        raise UsageError(visible(str(error))) from None
    if args.plot is not None:
        _draw(args, changes)
    if args.format == "json":
        print(json.dumps(_json(args, changes, drift), ensure_ascii=False))
    else:
        print(visible("\n".join(_told(changes, drift))))
    return 0


def _text(path: str) -> str:
    from toolc.files import DataError, decode, read_bytes, why

    try:
        text = decode(path, read_bytes(path, TEXT))
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {why(error)}") from None
    except DataError as error:
        raise UsageError(f"cannot read `{path}`: {error.values['reason']}") from None
    if not text.strip():
        raise UsageError(f"`{path}` is empty")
    return text


def _changes(args: argparse.Namespace) -> tuple[tuple[str, str], Changes]:
    """The folders of both models, and what differs between them."""
    from toolc.analyse.change import measure
    from toolc.analyse.checkpoint import Checkpoint

    with (
        Checkpoint(args.a) as a,
        Checkpoint(args.b) as b,
        Progress("tensors", len(a.tensors), shown=sys.stderr.isatty()) as progress,
    ):
        return (a.folder, b.folder), measure(a, b, progress.advance)


def _drift(args: argparse.Namespace, folders: tuple[str, str], text: str) -> Drift:
    from toolc.analyse.drift import DriftError, loaded, measure, windows_of
    from toolc.train.models import prepare

    prepare(0, sys.stderr.isatty())
    pair = loaded(*folders)
    most = pair.context or CONTEXT
    if args.context is not None and args.context > most:
        raise DriftError(f"the models read {most} tokens at a time, not {args.context}")
    context = args.context or min(most, CONTEXT)
    windows = windows_of(text, pair.tokenizer, args.tokens, context)
    with Progress("windows", len(windows), shown=args.format == "human") as progress:
        return measure(pair, windows, context, progress.advance)


def _draw(args: argparse.Namespace, changes: Changes) -> None:
    from toolc.analyse.plot import plot
    from toolc.files import why
    from toolc.output import write_file

    try:
        write_file(args.plot, plot(changes, f"‖B-A‖ / ‖A‖: {args.a} → {args.b}").encode())
    except OSError as error:
        raise UsageError(f"cannot write `{args.plot}`: {why(error)}") from None
    say(f"wrote {args.plot}")


def _json(args: argparse.Namespace, changes: Changes, drift: Drift | None) -> dict[str, Any]:
    layers, modules = changes.layers(), changes.modules()
    return {
        "format": 1,
        "a": args.a,
        "b": args.b,
        "total": changes.total().to_json(),
        "layers": [
            {
                "stack": stack,
                "layer": number,
                **changes.total((stack, number)).to_json(),
                "modules": {
                    module: change.to_json()
                    for module in modules
                    for change in (changes.total((stack, number), module),)
                    if change.parameters
                },
            }
            for stack, number in layers
        ],
        "modules": {module: changes.total(module=module).to_json() for module in modules},
        "tensors": {name: change.to_json() for name, change in changes.tensors.items()},
        "text": None if drift is None else {"file": args.text, **drift.to_json()},
    }


def _told(changes: Changes, drift: Drift | None) -> Iterator[str]:
    from toolc.analyse.plot import name_of, shown

    layers, modules = changes.layers(), changes.modules()
    named = [(name_of(layer, layers), layer) for layer in layers]
    lines = [["‖B-A‖ / ‖A‖", *modules, "all"]]
    for name, layer in [*named, ("all", None)]:
        found = [changes.total(layer, module) for module in (*modules, None)]
        lines.append([name, *(shown(each.relative) if each.parameters else "" for each in found)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = [cell.rjust(width) for cell, width in zip(line[1:], widths[1:], strict=True)]
        yield "  ".join([line[0].ljust(widths[0]), *cells]).rstrip()
    total = changes.total().to_json()
    yield f"{total['changed']:.1%} of {total['parameters']:,} parameters have changed"
    if drift is not None:
        a, b = drift.perplexity
        yield (
            f"text, {drift.tokens:,} tokens: perplexity {a:.4g} → {b:.4g}, KL(A‖B) "
            f"{drift.kl:.4g} nats a token, the same likeliest token {drift.agreement:.1%}"
        )
