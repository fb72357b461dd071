"""Raw records -> one frame of entries. Pure: the same records give the same frame."""

from diag.normalise.as_entry import to_entry
from diag.normalise.frame import join_frames, to_frame
from diag.normalise.loose_json import TooDeepError, decode_json, load_json
from diag.normalise.redaction import LONGEST_TEXT, redact_text
from diag.normalise.seen import see_lines

__all__ = [
    "LONGEST_TEXT",
    "TooDeepError",
    "decode_json",
    "join_frames",
    "load_json",
    "redact_text",
    "see_lines",
    "to_entry",
    "to_frame",
]
