"""Definitions: what a dossier, a period, a working day and an error are. Pure: no files, no database, no clock."""
