"""`toolc fmt`: the canonical layout of specs, and the fixes of what is wrong with them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from toolc.cli.terminal import Subparsers, UsageError, count, epilog, report, say

if TYPE_CHECKING:
    from toolc.diagnostics.diagnostic import Diagnostic
    from toolc.fixing import Fixed

    Find = Callable[[Mapping[str, str]], tuple[Diagnostic, ...]]

STDIN = "<stdin>"


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
    parser.add_argument(
        "--fix", action="store_true", help="apply every safe fix first, and say what remains"
    )
    parser.add_argument(
        "--unsafe-fixes", action="store_true", help="with --fix, apply also what may be meant"
    )


def run(args: argparse.Namespace) -> int:
    if (args.stdin and args.paths) or (not args.stdin and not args.paths):
        raise UsageError("fmt takes paths, or --stdin alone")
    if args.unsafe_fixes and not args.fix:
        raise UsageError("--unsafe-fixes goes with --fix")
    return _stream(args) if args.stdin else _files(args)


def _stream(args: argparse.Namespace) -> int:
    from toolc.diagnostics.render import render
    from toolc.files import DataError, decode
    from toolc.project import MAX_SPEC_BYTES, failed

    content = sys.stdin.buffer.read(MAX_SPEC_BYTES + 1)
    if len(content) > MAX_SPEC_BYTES:
        raise UsageError(f"standard input is larger than {MAX_SPEC_BYTES // 2**20} MiB")
    try:
        text = decode(STDIN, content)
    except DataError as error:
        raise UsageError(f"standard input: {error.values['reason']}") from None
    left: tuple[Diagnostic, ...] = ()
    if args.fix:
        fixed = _fixed({STDIN: text}, _find_alone, args)
        left, mended = fixed.left, fixed.texts[STDIN]
        formatted = _formatted(mended, STDIN, quiet=True) or mended
        if left:
            say(render(left, fixed.texts).rstrip())
    else:
        found = _formatted(text, STDIN)
        if found is None:
            return 1
        formatted = found
    if args.check or args.diff:
        _show(text, formatted, STDIN, args.diff)
        return int(text != formatted or failed(left))
    sys.stdout.buffer.write(formatted.encode())
    sys.stdout.buffer.flush()
    return int(failed(left))


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
    texts: dict[str, str] = {}
    for path in paths:
        source = read_source(path)
        if isinstance(source, Diagnostic):
            report([source], {})
            broken += 1
        else:
            texts[path] = source.text
    fixed = _fixed(texts, _find_in(list(texts)), args) if args.fix and texts else None
    for path, text in texts.items():
        mended = fixed.texts[path] if fixed else text
        formatted = _formatted(mended, path, quiet=args.fix)
        if formatted is None and not args.fix:
            broken += 1
            continue
        formatted = mended if formatted is None else formatted
        if formatted != text:
            changed += 1
            if args.check or args.diff:
                _show(text, formatted, path, args.diff)
                continue
            try:
                write_file(path, formatted.encode())
            except OSError as error:
                raise UsageError(f"cannot write `{path}`: {error.strerror}") from None
    if fixed is not None:
        report(fixed.left, fixed.texts)
        broken += sum(found.severity == "error" for found in fixed.left)
    dry = args.check or args.diff
    verb = "would change" if dry else "changed"
    rest = f", {count(broken, 'problem')}" if broken else ""
    say(f"{changed} of {count(len(paths), 'file')} {verb}{rest}")
    return int(broken > 0 or (dry and changed > 0))


def _fixed(texts: dict[str, str], find: Find, args: argparse.Namespace) -> Fixed:
    """The texts with their fixes, each of which is said."""
    from toolc.diagnostics.render import place
    from toolc.fixing import fix

    fixed = fix(texts, find, "unsafe" if args.unsafe_fixes else "safe")
    for found, text in fixed.made:
        at = place(text, found.span)
        title = found.fix.title if found.fix else ""
        say(f"{found.path}:{at.line}:{at.column}: fixed[{found.code}]: {title}")
    return fixed


def _find_in(paths: list[str]) -> Find:
    """What `toolc check` finds in some files."""
    from toolc.project import check_project, load_project

    return lambda texts: check_project(load_project(paths, texts))


def _find_alone(texts: Mapping[str, str]) -> tuple[Diagnostic, ...]:
    """What is wrong with a text that has no file."""
    from toolc.project import Unit, check_unit, mended
    from toolc.syntax.parser import parse

    module, diagnostics = parse(texts[STDIN], STDIN)
    if module is None or not all(map(mended, diagnostics)):
        return diagnostics
    return (*diagnostics, *check_unit(Unit({STDIN: module}, {})).diagnostics)


def _formatted(text: str, path: str, *, quiet: bool = False) -> str | None:
    """The formatted text; None, with its errors reported unless `quiet`, where it does not
    parse."""
    from toolc.project import failed
    from toolc.syntax.formatter import format_module
    from toolc.syntax.parser import parse

    module, diagnostics = parse(text, path)
    if module is None or failed(diagnostics):
        if not quiet:
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
