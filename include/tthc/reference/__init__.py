"""What a clerk may change, read from data files: units, sources, layouts, procedures, calendar, targets."""
