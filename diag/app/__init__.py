"""Use cases: one per command, named like it. Each returns a value that cli renders."""
