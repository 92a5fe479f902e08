"""Merging tools that overlap into more general ones, in hand-written specs.

`signature.py` says what a tool takes, whatever form it takes it in; `behaviour.py` what it gives
for shared inputs; `template.py` where two bodies differ; `units.py` knows units; `overlap.py`
decides which tools are one, `merging.py` makes that one, `integrate.py` rewrites the spec and
proves that nothing else changed."""
