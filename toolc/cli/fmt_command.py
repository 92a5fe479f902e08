"""`toolc fmt`: the canonical layout of specs."""

from __future__ import annotations

import argparse
import sys

from toolc.cli.terminal import Subparsers, UsageError, count, epilog, report, say


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "fmt",
        description="Format specs in place, each file in one step. A file with a syntax error is "
        "reported and left alone.",
        epilog=epilog(
            {
                "toolc fmt .": "in place",
                "toolc fmt --check .": "tell which files would change",
                "toolc fmt --stdin < shop.toolc": "from standard input to standard output",
            },
            "fine",
            "a file would change (--check, --diff) or cannot be parsed",
        ),
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="a .toolc file, or a folder")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 where a file would change"
    )
    parser.add_argument("--diff", action="store_true", help="like --check, and show the changes")
    parser.add_argument("--stdin", action="store_true", help="format standard input to output")


def run(args: argparse.Namespace) -> int:
    if (args.stdin and args.paths) or (not args.stdin and not args.paths):
        raise UsageError("fmt takes paths, or --stdin alone")
    return _stream(args) if args.stdin else _files(args)


def _stream(args: argparse.Namespace) -> int:
    from toolc.files import DataError, decode
    from toolc.project import MAX_SPEC_BYTES

    content = sys.stdin.buffer.read(MAX_SPEC_BYTES + 1)
    if len(content) > MAX_SPEC_BYTES:
        raise UsageError(f"standard input is larger than {MAX_SPEC_BYTES // 2**20} MiB")
    try:
        text = decode("<stdin>", content)
    except DataError as error:
        raise UsageError(f"standard input: {error.values['reason']}") from None
    formatted = _formatted(text, "<stdin>")
    if formatted is None:
        return 1
    if args.check or args.diff:
        _show(text, formatted, "<stdin>", args.diff)
        return int(text != formatted)
    sys.stdout.buffer.write(formatted.encode())
    sys.stdout.buffer.flush()
    return 0


def _files(args: argparse.Namespace) -> int:
    from toolc.diagnostics.diagnostic import Diagnostic
    from toolc.output import write_file
    from toolc.project import ProjectError, find_specs, read_source

    try:
        paths, diagnostics = find_specs(args.paths)
    except ProjectError as error:
        raise UsageError(str(error)) from None
    report(diagnostics, {})
    changed, broken = 0, len(diagnostics)
    for path in paths:
        source = read_source(path)
        if isinstance(source, Diagnostic):
            report([source], {})
            broken += 1
            continue
        formatted = _formatted(source.text, path)
        if formatted is None:
            broken += 1
        elif formatted != source.text:
            changed += 1
            if args.check or args.diff:
                _show(source.text, formatted, path, args.diff)
                continue
            try:
                write_file(path, formatted.encode())
            except OSError as error:
                raise UsageError(f"cannot write `{path}`: {error.strerror}") from None
    dry = args.check or args.diff
    verb = "would change" if dry else "changed"
    rest = f", {count(broken, 'problem')}" if broken else ""
    say(f"{changed} of {count(len(paths), 'file')} {verb}{rest}")
    return int(broken > 0 or (dry and changed > 0))


def _formatted(text: str, path: str) -> str | None:
    """The formatted text; None, with its errors reported, where it does not parse."""
    from toolc.project import failed
    from toolc.syntax.formatter import format_module
    from toolc.syntax.parser import parse

    module, diagnostics = parse(text, path)
    if module is None or failed(diagnostics):
        report(diagnostics, {path: text})
        return None
    return format_module(module, text)


def _show(before: str, after: str, path: str, whole: bool) -> None:
    if before == after:
        return
    if not whole:
        print(path)
        return
    from difflib import unified_diff

    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for line in unified_diff(old, new, path, path):
        sys.stdout.write(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n")
