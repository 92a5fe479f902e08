"""The rules as they are shown to people: clipped examples, and the page of all diagnostics."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate

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
    return _HEAD + "".join(_family(start, about, rules) for start, about, rules in families())


def _family(start: str, about: str, rules: list[Rule]) -> str:
    frame = _frame([example for rule in rules for example in (rule.bad, rule.good)])
    shown = (
        f"\nThe examples go on from here, but for those that start anew:\n\n```toolc\n{frame}```\n"
    )
    entries = "".join(_entry(rule, frame) for rule in rules)
    return f"\n## {start}: {about}\n{shown if frame else ''}{entries}"


def _frame(examples: list[str]) -> str:
    """The first lines that the examples of a family share, such that most text is saved."""
    starts: Counter[str] = Counter()
    for example in examples:
        starts.update(accumulate(example.splitlines(keepends=True)))
    return max(starts, key=lambda each: len(each) * (starts[each] - 1), default="")


_HEAD = """\
# Diagnostics

Every finding of the compiler, by code; `toolc explain CODE` shows the same. This page is generated:
`make docs` writes it anew. An error keeps a spec from being compiled, a warning does not. The first
example of each raises the code, the second is the same spec, mended; what follows `# file: NAME` in
comments is a further file. What the examples of a family have in common stands once, before them.
"""


def _entry(rule: Rule, frame: str) -> str:
    bad, good = (_rest(example, frame) for example in (rule.bad, rule.good))
    return (
        f"\n### {rule.code}: {rule.title}\n\n{rule.severity.capitalize()}: {message(rule)}\n\n"
        f"{rule.explanation}\n\n{bad}\n{good}"
    )


def _rest(example: str, frame: str) -> str:
    """An example in a fence, without the frame where it goes on from that."""
    if not frame or not example.startswith(frame):
        return f"```toolc\n{visible(clipped(example))}```\n"
    rest = example.removeprefix(frame) or "# nothing more\n"
    return f"```toolc fragment\n{visible(clipped(rest))}```\n"


def message(rule: Rule) -> str:
    """The message, with its gaps in braces."""
    return rule.message.replace("{{", "{").replace("}}", "}")
