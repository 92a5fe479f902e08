"""The prompts of the stages, a file each: `system`, `decompose`, `invent`, `document`, `deploy`."""
