"""What a model says, as text and as tool calls, in the formats of the common model families."""
