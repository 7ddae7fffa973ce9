"""Incidents and the outbox of messages."""
