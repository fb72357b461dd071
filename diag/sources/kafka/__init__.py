"""The broker, through aiokafka: what it has (reader), a session's records (records), creation (admin).

All of it goes straight, or through a tunnel (route).
Nothing here joins a group or commits an offset, and no metadata request names a topic: a broker
with automatic creation would make what it is asked for.
"""

from diag.sources.kafka.admin import create_topics
from diag.sources.kafka.connection import check_connection
from diag.sources.kafka.reach import BrokerReach, reach_broker
from diag.sources.kafka.reader import read_broker
from diag.sources.kafka.records import RecordsRead, TopicCut, read_records
from diag.sources.kafka.route import through

__all__ = [
    "BrokerReach",
    "RecordsRead",
    "TopicCut",
    "check_connection",
    "create_topics",
    "reach_broker",
    "read_broker",
    "read_records",
    "through",
]
