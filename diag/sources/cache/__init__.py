"""What earlier runs read of windows that change no more: redacted entries on this user's own disk.

folder     a folder that nobody else may write to, and files that are whole or not there
pieces     one window of one question -> a file, and back
version    what entries depend on beside the logs: diag's code and the catalogue
"""

from diag.sources.cache.folder import find_cache_folder
from diag.sources.cache.pieces import EntryCache, Piece
from diag.sources.cache.version import find_version

__all__ = ["EntryCache", "Piece", "find_cache_folder", "find_version"]
