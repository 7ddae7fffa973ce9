"""What was received, unchanged, found by its hash."""
