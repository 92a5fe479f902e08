"""The source that asks a model: environments from questions, or from a domain in words."""
