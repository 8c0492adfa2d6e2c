"""Batch scoring: from a model and a snapshot to predictions, which evaluation reads."""
