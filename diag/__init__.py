"""diag: one voice-agent session, reconstructed from its logs and records, judged with evidence."""

__version__ = "0.1.0"
