"""The specs that fuzzing starts from: what the repository holds, by name."""

from __future__ import annotations

import re
from functools import cache

from tests.conftest import ROOT
from toolc.diagnostics.registry import RULES

_FENCE = re.compile(r"^```toolc\n(.*?)^```", re.DOTALL | re.MULTILINE)
MAX_TEXT = 30_000
"""Characters of a spec that is mutated: larger ones are examples of limits."""


@cache
def corpus() -> dict[str, str]:
    """Every spec of the repository, its documents and its diagnostics."""
    texts = {
        str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
        for folder in ("specs", "tests")
        for path in sorted((ROOT / folder).rglob("*.toolc"))
    }
    for page in ("README.md", "docs/language.md"):
        found = _FENCE.findall((ROOT / page).read_text(encoding="utf-8"))
        texts |= {f"{page}#{index}": text for index, text in enumerate(found)}
    for code, rule in sorted(RULES.items()):
        texts |= {f"{code}.bad": rule.bad, f"{code}.good": rule.good}
    return {name: text for name, text in texts.items() if len(text) <= MAX_TEXT}
