"""Making hand-written specs harder, by named and seeded transformations at a chosen level.

`transformation.py` says what a transformation is, `scale.py` applies them, `prove.py` compiles and
audits what comes out and takes back what does not pass. The transformations: `parameters.py`,
`results.py`, `presentation.py`, `neighbours.py` (tools that no plan needs), `scenarios.py`."""
