"""Frozen values that every layer may use. Nothing here reads a clock, a file or a network."""
