"""Self-contained HTML reports: a view dataclass, a template, no network."""
