"""Specs that language models write: asked for, taken from replies, judged, sent back to be mended.

`loop.py` is the loop for one spec, whatever asks for it; `run.py` is `toolc emit` for many.
docs/emission.md is the design.
"""
