"""A git repository, read without running anything of it."""

from diag.sources.repo.program import Limits, TooMuchError
from diag.sources.repo.reader import Repository, read_repository
from diag.sources.repo.tree import Texts, Tree

__all__ = ["Limits", "Repository", "Texts", "TooMuchError", "Tree", "read_repository"]
