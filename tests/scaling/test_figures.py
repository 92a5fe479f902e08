"""The table of docs/scaling.md is the one that was measured."""

from __future__ import annotations

import json

from benchmarks.scaling import DOCUMENT, RESULTS, with_table
from toolc.scaling.scale import LEVELS, TRANSFORMATIONS


def test_the_document_has_what_was_measured() -> None:
    results = json.loads(RESULTS.read_text())
    assert list(results) == [str(level) for level in range(LEVELS + 1)]
    document = DOCUMENT.read_text()
    assert with_table(document, results) == document
    done = {name for each in results.values() for name in each["done"]}
    assert done <= set(TRANSFORMATIONS)
    nested = [each["figures"]["nested"] for each in results.values()]
    assert nested == sorted(nested)
