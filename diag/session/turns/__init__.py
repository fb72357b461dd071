"""Turns: what belongs to each, what came of it, and where its time went."""
