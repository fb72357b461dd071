"""Leads the conversation: audio from Kafka through STT, LLM and TTS, and replies to the right caller."""
