"""Checks of identifiers: lost, malformed, mismatched."""
