"""tthc: nightly figures about Vietnamese administrative procedures (thủ tục hành chính)."""
