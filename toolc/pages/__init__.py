"""Pages for people: one self-contained HTML file each, in one style.

A page asks nothing of any network: its policy allows the style and the script that stand in it, by
their hashes, and nothing else. Text that others wrote goes in through `escape`, or as JSON through
`Data`, which a page's script puts into the document as text.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import escape
from importlib.resources import files
from json import dumps
from typing import Any, NamedTuple

__all__ = ["Data", "asset", "document", "embedded", "escape"]

_UNSAFE = re.compile("[<>&\u2028\u2029\ufffe\uffff\ud800-\udfff]")

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_STRANGE = "\ufffd"


class Data(NamedTuple):
    """JSON text, as `embedded` gives it, for the element of an id."""

    id: str
    text: str


def asset(name: str) -> str:
    """The text of a style or a script beside this module."""
    return files("toolc.pages").joinpath(name).read_text(encoding="utf-8")


def embedded(value: Any) -> str:
    """JSON text that may stand in a script element, whatever texts it holds. ValueError for NaN."""
    text = dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def document(
    title: str, body: str, style: str = "", script: str = "", data: Iterable[Data] = ()
) -> str:
    """A whole page. `body` is HTML; `style` is added to the style that pages share."""
    style = asset("base.css") + style
    title = escape(_UNPRINTABLE.sub(_STRANGE, title))
    policy = [
        "default-src 'none'",
        f"style-src '{_hash(style)}'",
        *([f"script-src '{_hash(script)}'"] if script else []),
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
    parts = [
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{"; ".join(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>",
        body,
        *(f'<script type="application/json" id="{id}">{text}</script>' for id, text in data),
        *([f"<script>{script}</script>"] if script else []),
        "</body>\n</html>\n",
    ]
    return "\n".join(parts)


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"
