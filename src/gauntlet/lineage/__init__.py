"""What came from what, by content digest."""
