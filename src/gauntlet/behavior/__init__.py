"""Behavior tests of a model: golden cases, invariance and directional rules."""
