"""The callers: for now one that speaks from a script."""
