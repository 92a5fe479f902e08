"""Language models behind an HTTP interface: asked in evaluation, and for specs."""
