"""What a model must do on known cases, whatever its metrics say: golden examples, invariance, directions."""
