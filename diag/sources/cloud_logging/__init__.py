"""Cloud Logging through Google's own client, over gRPC."""

from diag.sources.cloud_logging.client import check_endpoint, is_plaintext
from diag.sources.cloud_logging.credentials import CredentialFacts, try_credentials
from diag.sources.cloud_logging.filters import build_filters
from diag.sources.cloud_logging.source import CloudLogging
from diag.sources.cloud_logging.visit import Visit, look

__all__ = [
    "CloudLogging",
    "CredentialFacts",
    "Visit",
    "build_filters",
    "check_endpoint",
    "is_plaintext",
    "look",
    "try_credentials",
]
