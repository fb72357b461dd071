"""One cluster's API, read-only, through the kubernetes client's credentials and transport.

context     which cluster a kubeconfig names
client      the connection; reasons says why there is none
listing     what is listed, page by page; source joins it
workloads, pods, network, events     from the API's JSON to the model's values
logs        what the pods' nodes keep of their containers' logs
port_forward  connections to pods; addresses says what a name in the cluster means
log_export  what the GKE API says of the cluster's own logging

Nothing is ever written, no secret is asked for, and of environment variables only the names are kept.
"""

from diag.sources.kube.context import GkeContext, find_fitting, find_gke_context, runs_in_cluster

__all__ = ["GkeContext", "find_fitting", "find_gke_context", "runs_in_cluster"]
