"""Cloud Logging through Google's own client, over gRPC."""

from diag.sources.cloud_logging.client import check_endpoint
from diag.sources.cloud_logging.filters import build_filters
from diag.sources.cloud_logging.source import CloudLogging

__all__ = ["CloudLogging", "build_filters", "check_endpoint"]
