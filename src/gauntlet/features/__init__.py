"""Feature code against the features that are stored: what changed, how, whom it harms and what to do about it."""
