"""From a snapshot and a schema to a model."""
