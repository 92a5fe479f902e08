"""One module for each family of models: how its calls are read and written."""
