"""Applying fixes until none is left: finds, edits, and finds anew."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from toolc.diagnostics.diagnostic import Applicability, Diagnostic
from toolc.diagnostics.render import apply_fixes

MAX_ROUNDS = 25
"""How often fixes are applied: a fix may uncover an error that has one too."""


class Fixed(NamedTuple):
    """`texts` after the fixes, `made` the findings that were fixed, with the text of their file at
    that moment, and `left` what is found at last."""

    texts: dict[str, str]
    made: tuple[tuple[Diagnostic, str], ...]
    left: tuple[Diagnostic, ...]


def fix(
    texts: Mapping[str, str],
    find: Callable[[Mapping[str, str]], tuple[Diagnostic, ...]],
    applicability: Applicability = "safe",
) -> Fixed:
    """Apply what can be fixed in some texts, by path. `find` gives the findings in them.

    Unsafe fixes, where they are asked for, wait until no safe one is left. Ends after `MAX_ROUNDS`
    at the latest, with whatever then stands there.
    """
    current = dict(texts)
    made: list[tuple[Diagnostic, str]] = []
    found = find(current)
    for _ in range(MAX_ROUNDS):
        ready = _ready(found, current, "safe")
        if not ready and applicability == "unsafe":
            ready = _ready(found, current, "unsafe")
        if not ready:
            break
        made += [(each, current[each.path]) for each in ready]
        for path in dict.fromkeys(each.path for each in ready):
            here = [each for each in ready if each.path == path]
            current[path] = apply_fixes(current[path], here, "unsafe")
        found = find(current)
    return Fixed(current, tuple(made), found)


def _ready(
    found: tuple[Diagnostic, ...], texts: Mapping[str, str], applicability: Applicability
) -> list[Diagnostic]:
    """The findings that can be fixed together: no edit touches another's."""
    taken: dict[str, list[Diagnostic]] = {}
    for each in found:
        known = taken.setdefault(each.path, [])
        if each.fix is None or each.path not in texts or each.fix.applicability != applicability:
            continue
        alone = apply_fixes(texts[each.path], known, "unsafe")
        both = apply_fixes(texts[each.path], [*known, each], "unsafe")
        if both != alone:
            known.append(each)
    return [each for known in taken.values() for each in known]
