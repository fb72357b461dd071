"""Settings and wanted topics, read once, before anything is built."""

from diag.config.load import load_settings, name_variables
from diag.config.topics import load_wanted_topics

__all__ = ["load_settings", "load_wanted_topics", "name_variables"]
