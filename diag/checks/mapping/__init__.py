"""Checks of how the halves of a session find each other."""
