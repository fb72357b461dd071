"""Checks of what diag itself could see."""
