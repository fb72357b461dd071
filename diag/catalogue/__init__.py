"""What services log, as data; `load_catalogue` makes the value that is passed down.

places, document, entries   a TOML file, its parts and their lines
form, agreement, samples    what may be wrong with it
load, validate              the packaged files, and a user's own over them
"""

from diag.catalogue.mask import find_constants
from diag.catalogue.validate import load_catalogue, validate_files

__all__ = ["find_constants", "load_catalogue", "validate_files"]
