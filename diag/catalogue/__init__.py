"""What services log, as data; `load_catalogue` makes the value that is passed down."""

from diag.catalogue.load import load_catalogue

__all__ = ["load_catalogue"]
