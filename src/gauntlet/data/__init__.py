"""From files somewhere to a snapshot, its statistics, its schema, and what moved since the last one."""
