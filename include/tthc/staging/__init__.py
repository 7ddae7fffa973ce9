"""Bytes become rows of text, typed columns, and accepted or refused rows with reasons."""
