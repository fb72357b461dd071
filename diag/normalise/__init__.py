"""Raw records -> one frame of entries. Pure: the same records give the same frame."""

from diag.normalise.as_entry import to_entry
from diag.normalise.frame import join_frames, to_frame
from diag.normalise.redaction import LONGEST_TEXT, redact_text
from diag.normalise.seen import see_lines

__all__ = ["LONGEST_TEXT", "join_frames", "redact_text", "see_lines", "to_entry", "to_frame"]
