"""Raw records -> one frame of entries. Pure: the same records give the same frame."""

from diag.normalise.frame import join_frames, to_frame

__all__ = ["join_frames", "to_frame"]
