"""Specs from what there is already: published function schemas, and JSON data.

`schemas` turns JSON Schema into types and declared tools, `state` turns values into tables and
states whose types `infer` finds. Both give syntax trees, which `spec` writes as text: no name or
text of the input reaches a spec but through the formatter.
"""
