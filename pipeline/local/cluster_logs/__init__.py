"""What a cluster says of itself, sent to Cloud Logging: its events, and who has changed what.

On GKE the event exporter and the control plane send these. Here one process watches the events of the
API server and follows its audit log: ``python -m pipeline.local.cluster_logs``.
"""
