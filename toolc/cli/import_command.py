"""`toolc import`: a spec from published function schemas, or from JSON data."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import Subparsers, UsageError, count, epilog, report, say

if TYPE_CHECKING:
    from toolc.importing.spec import Imported

SUFFIX = ".toolc"
MOST_NOTES = 50
"""Warnings that are shown; how many more there are is told."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "import",
        description="Write a spec from what there is: from `openai`, a JSON file of function "
        "schemas, tools without bodies; from `json`, a JSON file of data, tables and states whose "
        "types are inferred, the rows in data/*.json beside the spec. What the language cannot say "
        "is told on standard error. Nothing is overwritten without --force.",
        epilog=epilog(
            {
                "toolc import openai tools.json -o shop": "shop/tools.toolc, to fill in the bodies",
                "toolc import json state.json -o shop --name shop": "shop/shop.toolc and its data",
                "toolc import json users.json": "show the spec alone",
            },
            "the spec is written or shown, warnings or not",
            "the spec does not pass `toolc check`",
        ),
    )
    parser.add_argument("kind", choices=("openai", "json"), help="what the file holds")
    parser.add_argument("file", metavar="FILE.json", help="the file to read")
    parser.add_argument(
        "-o",
        "--output",
        metavar="PATH",
        help="the spec to write, or a folder for it (default: show it on standard output, and "
        "write nothing)",
    )
    parser.add_argument(
        "--name", metavar="ENV", help="name of the environment (default: that of the file)"
    )
    parser.add_argument("--force", action="store_true", help="overwrite what is there")


def run(args: argparse.Namespace) -> int:
    from toolc.cli.loading import read_json
    from toolc.importing.names import identifier, is_name
    from toolc.importing.spec import Unreadable, write
    from toolc.syntax.parser import MAX_TEXT

    stem = os.path.splitext(os.path.basename(args.file))[0]
    name = identifier(stem, "imported") if args.name is None else args.name
    if not is_name(name):
        raise UsageError(f"`{name}` cannot be the name of an environment")
    document = read_json(args.file)
    try:
        imported = _read(args.kind, document, identifier(stem, "rows"))
    except Unreadable as error:
        raise UsageError(f"cannot import `{args.file}`: {error}") from None
    for note in imported.notes[:MOST_NOTES]:
        say(f"warning: {' '.join(filter(None, (note.subject, note.path)))}: {note.reason}")
    if len(imported.notes) > MOST_NOTES:
        say(f"{count(len(imported.notes) - MOST_NOTES, 'more warning')}")
    text = write(name, f"Imported from {os.path.basename(args.file)}.", imported.items)
    if len(text) > MAX_TEXT:
        raise UsageError(
            f"the spec would have more than {MAX_TEXT:,} characters: values stand in it, but for "
            "those of tables, whose rows have an id or stand under a key"
        )
    if args.output is None:
        print(text, end="")
        if imported.files:
            say(f"-o PATH writes it, and {count(len(imported.files), 'data file')} beside it")
        return _check(name + SUFFIX, text)
    path = args.output
    if not path.endswith(SUFFIX) or os.path.isdir(path):
        path = os.path.join(path, name + SUFFIX)
    _write(path, text, imported.files, args.force)
    return _check(path, text)


def _read(kind: str, document: Any, stem: str) -> Imported:
    if kind == "openai":
        from toolc.importing.schemas import import_tools

        return import_tools(document)
    from toolc.importing.state import import_data

    return import_data(document, stem)


def _write(path: str, text: str, files: Mapping[str, Any], force: bool) -> None:
    """Writes the spec and its data, or nothing where one of the files is there."""
    from toolc.files import why
    from toolc.output import write_file

    folder = os.path.dirname(path)
    texts = {os.path.join(folder, name): value for name, value in files.items()}
    taken = [each for each in (path, *texts) if os.path.lexists(each)]
    if taken and not force:
        raise UsageError(f"`{taken[0]}` is there already (--force overwrites); nothing was written")

    def put(path: str, content: bytes) -> None:
        if os.path.lexists(path):
            write_file(path, content)
            return
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        with open(path, "xb") as file:
            file.write(content)

    try:
        for each, rows in texts.items():
            put(each, _rows(rows).encode())
        put(path, text.encode())
    except OSError as error:
        raise UsageError(f"cannot write `{error.filename or path}`: {why(error)}") from None
    for each in (path, *texts):
        print(os.path.normpath(each))


def _rows(rows: Any) -> str:
    """The text of a data file, a row a line."""
    import json

    encode = json.JSONEncoder(ensure_ascii=False).encode
    if isinstance(rows, dict):
        lines = ",\n".join(f"{encode(key)}: {encode(row)}" for key, row in rows.items())
        return f"{{\n{lines}\n}}\n"
    lines = ",\n".join(map(encode, rows))
    return f"[\n{lines}\n]\n"


def _check(path: str, text: str) -> int:
    """Reports what is wrong with the spec that was made, if anything is."""
    from toolc.analysis.check import check
    from toolc.syntax.parser import parse

    parsed = parse(text, path)
    found = list(parsed.diagnostics)
    if parsed.module is not None:
        found += check({path: parsed.module}).diagnostics
    report(found, {path: text})
    return int(any(each.severity == "error" for each in found))
