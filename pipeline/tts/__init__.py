"""Text to speech by flite."""
