"""Stage 3: tools that overlap become one, and the plans call that."""

from __future__ import annotations

from toolc.generate.draft import Change, Document, Draft, Source, changed, described


def integrate(draft: Draft, source: Source) -> Draft:
    """The draft with overlapping tools merged, and the merged ones documented."""
    return changed(draft, [documented(draft, each, source) for each in source.merges(draft)])


def documented(draft: Draft, change: Change, source: Source) -> Change:
    """The change with the documentation of its tool. What a person wrote stays: of parameters that
    the replaced tools had, and the description where one tool takes another's place."""
    document = source.document(draft, change.tool, change.meaning)
    parameters = dict(document.parameters)
    description = document.description
    for name in change.replaces:
        tool = draft.tools[name]
        usual = source.document(draft, tool, draft.meanings.get(name, {}))
        for field in tool.parameters:
            told = field.description.value if field.description else ""
            if told != usual.parameters.get(field.name.text, ""):
                parameters[field.name.text] = told
        told = tool.description.value if tool.description else ""
        if len(change.replaces) == 1 and told != usual.description:
            description = told
    made = Document(description, parameters)
    return change._replace(tool=described(change.tool, made))
