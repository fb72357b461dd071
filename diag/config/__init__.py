"""Settings and wanted topics, read once, before anything is built.

load       flag, environment, file, default; what is refused
describe   every setting with its meaning
validate   every fault of a file or the environment at once
"""

from diag.config.load import load_settings, load_with_origins, name_variables
from diag.config.topic_plan import load_saved_plan
from diag.config.topics import load_wanted_topics

__all__ = [
    "load_saved_plan",
    "load_settings",
    "load_wanted_topics",
    "load_with_origins",
    "name_variables",
]
