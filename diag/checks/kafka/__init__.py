"""Checks of topics, consumers and records."""
