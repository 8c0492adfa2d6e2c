"""Training: from a snapshot, a schema and a recipe to a model."""
