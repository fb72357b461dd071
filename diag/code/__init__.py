"""The text of a repository's files -> where log lines are written, and who calls what writes them. Pure."""

from diag.code.survey import Survey, survey_code
from diag.code.wanted import to_known_texts, to_text

__all__ = ["Survey", "survey_code", "to_known_texts", "to_text"]
