"""What reports show, one frozen dataclass tree a report."""
