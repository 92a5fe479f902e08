"""`toolc diff`: what differs between two builds."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from toolc.cli.terminal import Subparsers, UsageError, add_format, count, epilog, say

if TYPE_CHECKING:
    from toolc.reporting.diff import BuildDiff, EnvironmentDiff, Part
    from toolc.reporting.paths import Difference

SHOWN = 10
"""Things that are shown of a list."""
SHOWN_PATHS = 3
"""Differences that are shown of a thing."""
MAX_SHOWN = 60
"""Characters that are shown of a value."""


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "diff",
        description="Say what differs between two builds: environments, tools and their schemas, "
        "data, tasks (prompts, tools on offer, plans, answers, expected states, rewards), code of "
        "tools and verifiers. Comments and layout are of no account. No code of a build runs.",
        epilog=epilog(
            {
                "toolc diff build.old build": "two builds",
                "toolc diff build.old/shop build/shop": "one environment of each",
                "toolc diff build.old build --format json": "every difference, by its path",
            },
            "the same",
            "they differ",
        ),
    )
    parser.add_argument("before", metavar="BUILD_A", help="a build, or one of its environments")
    parser.add_argument("after", metavar="BUILD_B", help="another")
    add_format(parser, "human", "json")


def run(args: argparse.Namespace) -> int:
    from toolc.diagnostics.catalogue import visible
    from toolc.reporting.build import UnreadableBuild, read_build
    from toolc.reporting.diff import diff

    try:
        found = diff(read_build(args.before), read_build(args.after))
    except UnreadableBuild as error:
        raise UsageError(visible(str(error))) from None
    if args.format == "json":
        print(json.dumps(found.to_json(), ensure_ascii=False))
    else:
        lines = list(_build(found))
        if lines:
            print(visible("\n".join(lines)))
        say(
            f"{count(found.same, 'environment')} the same, {len(found.changed):,} changed, "
            f"{len(found.added):,} added, {len(found.removed):,} removed"
        )
    return 0 if found.empty else 1


def _build(found: BuildDiff) -> Iterator[str]:
    for sign, names in (("-", found.removed), ("+", found.added)):
        yield from (f"{sign} {name}" for name in names)
    for name, each in found.changed.items():
        yield f"~ {name}"
        yield from (f"  {line}" for line in _environment(each))


def _environment(found: EnvironmentDiff) -> Iterator[str]:
    yield from (_difference(each) for each in found.facts)
    for title, part in (
        ("tools", found.tools),
        ("tasks", found.tasks),
        ("data", found.data),
        ("files", found.files),
    ):
        if not part.same:
            yield f"{title}: {_counts(part)}"
            yield from (f"  {line}" for line in _part(part))
    if found.code:
        yield "code"
        yield from (
            f"  {file}: {', '.join(_some(names, 'definitions'))}"
            for file, names in found.code.items()
        )


def _counts(part: Part) -> str:
    aspects = Counter(aspect for found in part.changed.values() for aspect in found)
    by = ", ".join(f"{aspect} {number:,}" for aspect, number in sorted(aspects.items()))
    sums = [
        f"{len(part.added):,} added" if part.added else "",
        f"{len(part.removed):,} removed" if part.removed else "",
        f"{len(part.changed):,} changed ({by})" if part.changed else "",
    ]
    return ", ".join(filter(None, sums))


def _part(part: Part) -> Iterator[str]:
    for sign, names in (("-", part.removed), ("+", part.added)):
        yield from (f"{sign} {name}" for name in _some(names, "more"))
    for name in _some(tuple(part.changed), "more"):
        aspects = part.changed.get(name, {})
        yield f"~ {name}  {', '.join(aspects)}".rstrip()
        paths = [each for found in aspects.values() for each in found]
        yield from (f"    {_difference(each)}" for each in paths[:SHOWN_PATHS])
        if len(paths) > SHOWN_PATHS:
            yield f"    … and {len(paths) - SHOWN_PATHS:,} more; --format json has all"


def _some(names: Sequence[str], what: str) -> list[str]:
    left = len(names) - SHOWN
    return [*names[:SHOWN], *([f"… {left:,} {what}"] if left > 0 else [])]


def _difference(found: Difference) -> str:
    path = found.path.removeprefix("$.")
    return f"{path}: {_value(found.before)} -> {_value(found.after)}"


def _value(value: Any) -> str:
    from toolc.reporting.paths import ABSENT

    text = "(absent)" if value is ABSENT else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}…"
