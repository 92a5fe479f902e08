"""The grammar for a decoder that constrains a language model.

llguidance reads Lark's notation, but knows no contextual keywords: a NAME may be a keyword's text.
The variant excludes keywords from NAME and allows them, use by use, where the parser does.
"""

from __future__ import annotations

import re

from toolc.syntax import tables, words

KEYWORD = re.compile(r'"([a-z]+)"')
NAME = re.compile(r"^NAME: (/.*/)$", re.MULTILINE)
USE = re.compile(r"^(\w+): NAME\b(.*)$", re.MULTILINE)
# Keywords that a use of a name cannot be; elsewhere every keyword is a name too.
EXCLUDED = {
    "ref": words.NO_VALUE,
    "target": words.NO_PLACE,
    "type_name": frozenset({"ref", "null"}),
}


def decoder_grammar() -> str:
    """Lark text for llguidance; it accepts whatever the parser accepts."""
    text = tables.resource("toolc.lark")
    keywords = sorted(set(KEYWORD.findall(text)))

    def use(found: re.Match[str]) -> str:
        allowed = [word for word in keywords if word not in EXCLUDED.get(found[1], ())]
        return f"{found[1]}: NAME{found[2]} | " + " | ".join(f'"{word}"' for word in allowed)

    text = USE.sub(use, text)
    return NAME.sub(lambda found: f"NAME: {found[1]} & ~/{'|'.join(keywords)}/", text)
