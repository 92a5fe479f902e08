"""What training has changed in a model: its parameters, and what it makes of other text."""
