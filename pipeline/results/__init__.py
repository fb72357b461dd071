"""Stores what the stages published to the logging topics, and answers by session."""
