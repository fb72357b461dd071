"""Contents, secrets and personal data leave an entry here, once; nothing behind this sees them.

What is taken out becomes a pseudonym (``pseudonyms``). Two things give it away: the key before it
(``keys`` says what a key promises of its value, ``keyed`` finds keys in free text, ``fields`` has them
parsed) and its own form (``patterns``).
"""

from diag.normalise.redaction.fields import FieldRedactor, redact_fields
from diag.normalise.redaction.identifiers import redact_id
from diag.normalise.redaction.text import LONGEST_TEXT, redact_text

__all__ = ["LONGEST_TEXT", "FieldRedactor", "redact_fields", "redact_id", "redact_text"]
