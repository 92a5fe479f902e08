"""The source without a model: environments from tables."""
