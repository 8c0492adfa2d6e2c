"""Lineage: which artifacts were made from which, by content digest."""
