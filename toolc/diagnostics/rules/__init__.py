"""One module of rules a family of codes."""
