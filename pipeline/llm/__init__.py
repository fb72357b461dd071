"""A language model's place, taken by a table: deterministic replies behind the usual two APIs."""
