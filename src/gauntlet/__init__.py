"""Gauntlet: the gates a model has to get through before it serves, and the pipelines made of them."""

__version__ = "0.1.0"
