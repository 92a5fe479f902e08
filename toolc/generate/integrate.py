"""Stage 3: tools that overlap become one, and the plans call that."""

from __future__ import annotations

from toolc.generate.draft import Change, Draft, Source, changed, described


def integrate(draft: Draft, source: Source) -> Draft:
    """The draft with overlapping tools merged, and the merged ones documented."""
    return changed(draft, [documented(draft, each, source) for each in source.merges(draft)])


def documented(draft: Draft, change: Change, source: Source) -> Change:
    """The change with the documentation of its tool."""
    document = source.document(draft, change.tool, change.meaning)
    return change._replace(tool=described(change.tool, document))
