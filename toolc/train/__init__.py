"""Training: datasets of a build's tasks, and models that learn from them.

Only `trl_adapter` imports TRL.
"""
