"""How well a model finds products."""
