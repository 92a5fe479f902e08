"""Generating environments in five stages, each of which reads and writes specs.

`pipeline.py` runs the stages `decompose`, `document`, `integrate`, `scale` and `deploy`, one module
each, over drafts (`draft.py`). What is decided, the stages ask a source: `tables/` is the one that
needs no model. docs/generation.md is the design.
"""
