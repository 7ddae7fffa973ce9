"""How an export is obtained."""
