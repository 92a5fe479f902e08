"""The rules as they are shown to people: clipped examples, and the page of all diagnostics."""

from __future__ import annotations

import re
from collections.abc import Iterator

from toolc.diagnostics.registry import FAMILIES, RULES
from toolc.diagnostics.render import UNPRINTABLE
from toolc.diagnostics.rule import Rule

MAX_LINE = 240
"""Characters of a line of an example that are shown."""
MAX_LINES = 80
"""Lines of an example that are shown."""


def families() -> Iterator[tuple[str, str, list[Rule]]]:
    """Each family: how its codes start, what they are about, and its rules in order."""
    for start, about in FAMILIES.items():
        yield start, about, [RULES[code] for code in sorted(RULES) if code.startswith(start)]


def clipped(example: str) -> str:
    """An example that fits a screen: long lines and texts are cut, and say so."""
    lines = example.splitlines()
    kept = [_line(line) for line in lines[:MAX_LINES]]
    if len(lines) > MAX_LINES:
        kept.append(f"# … and {len(lines) - MAX_LINES:,} more lines")
    return "".join(f"{line}\n" for line in kept)


def _line(line: str) -> str:
    if len(line) <= MAX_LINE:
        return line
    return f"{line[:MAX_LINE]}… and {len(line) - MAX_LINE:,} more characters"


def visible(text: str) -> str:
    """The text with what a terminal would not show, or would obey, as escapes."""
    return "\n".join(UNPRINTABLE.sub(_escape, line) for line in text.split("\n"))


def _escape(found: re.Match[str]) -> str:
    return f"\\u{{{ord(found[0]):x}}}"


def page() -> str:
    """`docs/diagnostics.md`."""
    return _HEAD + "".join(
        f"\n## {start}: {about}\n" + "".join(map(_entry, rules))
        for start, about, rules in families()
    )


_HEAD = """\
# Diagnostics

Every finding of the compiler, by code; `toolc explain CODE` shows the same. This page is generated:
`make docs` writes it anew. An error keeps a spec from being compiled, a warning does not. The first
example of each raises the code, the second is the same spec, mended; what follows `# file: NAME` in
comments is a further file.
"""


def _entry(rule: Rule) -> str:
    bad, good = (visible(clipped(example)) for example in (rule.bad, rule.good))
    return (
        f"\n### {rule.code}: {rule.title}\n\n{rule.severity.capitalize()}: {message(rule)}\n\n"
        f"{rule.explanation}\n\n```toolc\n{bad}```\n\n```toolc\n{good}```\n"
    )


def message(rule: Rule) -> str:
    """The message, with its gaps in braces."""
    return rule.message.replace("{{", "{").replace("}}", "}")
