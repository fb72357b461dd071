"""What of a cluster held in a window. Pure: from the objects of now, events and what logs name.

revisions    which replica set was in force
pods         which pods lived, and what became of them
events       what happened, from the cluster and from the log service together
look_back    all of it as one view
"""

from diag.cluster.look_back import look_back

__all__ = ["look_back"]
