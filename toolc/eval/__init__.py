"""Evaluation: policies play the tasks of a build, and what they did is kept and summed up."""
