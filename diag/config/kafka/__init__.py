"""The Kafka connection as other clients have it written down.

layers      where such a file stands among our settings, and where passwords come from
java        ``client.properties`` of the Java client and of librdkafka
properties  the grammar of such files, and of the login module in them
stores      key stores, which must be PEM
rpk         a profile of ``rpk.yaml``
exposure    who else can read a password
"""

from diag.config.kafka.exposure import warn_of_key, warn_of_wire
from diag.config.kafka.layers import NOT_IN_FILES, Layer, complete_layers, refuse_secrets

__all__ = ["NOT_IN_FILES", "Layer", "complete_layers", "refuse_secrets", "warn_of_key", "warn_of_wire"]
