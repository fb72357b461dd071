"""Checks of what the AI stages made of a turn."""
