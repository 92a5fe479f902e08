"""Rewriting hand-written specs: their tools, and with them every plan, check and test that calls
one. `spec.py` holds a spec as a tree that keeps the text of what does not change, `calls.py` finds
and rewrites calls."""
