"""The parts of the documents that come from the compiler's own tables.

`python -m toolc.reference docs` brings a folder up to date: `diagnostics.md` is written anew, and
so is what stands between `<!-- NAME -->` and `<!-- end NAME -->` in `language.md` and
`training.md`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from toolc.analysis.builtins import FAMILIES, Builtin
from toolc.analysis.declare import FACETS
from toolc.analysis.operators import TIME_RULES
from toolc.analysis.types import show
from toolc.diagnostics import catalogue
from toolc.train.options import options


def builtins() -> str:
    """A table of the built-ins for each family."""
    return "\n\n".join(
        f"### Built-ins: {head}\n\n"
        + _table(("signature", "meaning", "example, always true"), map(_builtin, family))
        for head, family in FAMILIES.items()
    )


def _builtin(builtin: Builtin) -> tuple[str, ...]:
    signatures = "<br>".join(f"`{builtin.name}{each}`" for each in builtin.signatures)
    meaning = builtin.meaning + (" *May fail.*" if builtin.partial else "")
    return signatures, meaning, f"`{builtin.example}`"


def facets() -> str:
    """Which facets each type takes."""
    rows = (
        (f"`{kind}`" if kind != "float" else "`float`, `decimal`", _facets(known))
        for kind, known in FACETS.items()
    )
    return _table(("type", "facets"), rows)


def _facets(known: dict[str, str]) -> str:
    return ", ".join(f"`{name}` ({value})" for name, value in known.items())


def dates() -> str:
    """What operators give for dates and durations."""
    rows = (
        (f"`{show(left)} {sign} {show(right)}`", f"`{show(result)}`")
        for (sign, left, right), result in TIME_RULES.items()
    )
    return _table(("expression", "type"), rows)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def training() -> str:
    """A table of the options of training runs."""
    rows = ((f"`{name}`", *values) for name, *values in options())
    return _table(("option", "default", "`--tiny`", "meaning"), rows)


Sections = Mapping[str, Callable[[], str]]

SECTIONS: Sections = {"builtins": builtins, "facets": facets, "dates": dates}
DOCUMENTS: Mapping[str, Sections] = {"language.md": SECTIONS, "training.md": {"options": training}}


def update(text: str, sections: Sections = SECTIONS) -> str:
    """The document with its generated sections written anew.

    Raises ValueError where the document lacks the marks of a section.
    """
    for name, make in sections.items():
        before, start, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- end {name} -->")
        if not (start and end):
            raise ValueError(f"the document has no section `{name}`")
        text = f"{before}{start}\n{make()}\n\n{end}{after}"
    return text


def main(folder: str) -> None:
    """Brings the generated pages of a folder up to date."""
    for name, sections in DOCUMENTS.items():
        page = Path(folder) / name
        page.write_text(update(page.read_text(encoding="utf-8"), sections), encoding="utf-8")
    (Path(folder) / "diagnostics.md").write_text(catalogue.page(), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
