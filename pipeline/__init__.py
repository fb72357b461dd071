"""The reference voice agent: what diag is shown at work on. It is not part of the wheel."""
