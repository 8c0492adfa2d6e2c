"""From a model and a snapshot to predictions, the only thing evaluation reads."""
