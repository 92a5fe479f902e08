"""Where a parameter stands in a model, by its name: which layer, and which module of it.

The names are those that models of the transformers library have, such as
`model.layers.3.self_attn.q_proj.weight` and `transformer.h.3.attn.c_attn.weight`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_LAYER = re.compile(r"^(.*?\b(?:layers|layer|h|blocks?))\.(\d+)\.(.*)$")

_MODULES: tuple[tuple[str, str], ...] = (
    ("norm", r"norm|(^|\.)ln_\w+|layernorm"),
    ("head", r"(^|\.)(lm_head|embed_out|output)\."),
    ("embeddings", r"embed|(^|\.)w[tp]e\."),
    ("qkv", r"(qkv|c_attn|query_key_value)"),
    ("q", r"(^|[._])(q|query)(_proj|_[ab]_proj)?\."),
    ("k", r"(^|[._])(k|key)(_proj)?\."),
    ("v", r"(^|[._])(v|value)(_proj)?\."),
    ("o", r"(o_proj|out_proj|(self_attn|attention|attn)\.(dense|c_proj|o))\b"),
    ("mlp", r"mlp|feed_forward|ffn|experts|gate_proj|up_proj|down_proj|(^|\.)(fc[12]|dense\w*)\."),
)
_PATTERNS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _MODULES)

OTHER = "other"
MODULES = ("embeddings", "q", "k", "v", "qkv", "o", "mlp", "norm", "head", OTHER)
"""Modules, as tables have them from left to right."""


class Place(NamedTuple):
    """`stack` names the layers (`model.layers`) and `layer` counts them; "" and None outside."""

    stack: str
    layer: int | None
    module: str


def place_of(name: str) -> Place:
    """Where the parameter of a name stands."""
    layered = _LAYER.match(name) if len(name) < 1_000 else None
    inner = layered[3] if layered else name
    module = next((each for each, pattern in _PATTERNS if pattern.search(inner)), OTHER)
    return Place(layered[1], int(layered[2][:9]), module) if layered else Place("", None, module)
