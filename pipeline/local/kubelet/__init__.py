"""A small kubelet: runs the pods of one node of the local cluster as processes of this machine.

What it says to the API server is what GKE's node would say: states, reasons, conditions and events
are those of Kubernetes 1.36, and every one is true of a process. What it does not do is isolate: no
namespaces, no cgroups, no images; a pod is trusted as any program of the repository is.
"""
