"""Views: the content of each report, as a tree of frozen dataclasses."""
