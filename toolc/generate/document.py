"""Stage 2: every declared tool gets the description that models read, its parameters too."""

from __future__ import annotations

from toolc.generate.draft import Draft, Source, described, with_tools
from toolc.syntax import tree


def document(draft: Draft, source: Source) -> Draft:
    """The draft with every tool documented; what a person wrote of a tool stays."""

    def documented(tool: tree.Tool) -> tree.Tool:
        if tool.description is not None:
            return tool
        meaning = draft.meanings.get(tool.name.text, {})
        return described(tool, source.document(draft, tool, meaning))

    return with_tools(draft, documented)
