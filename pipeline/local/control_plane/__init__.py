"""A real Kubernetes control plane on the loopback address: etcd, API server, controllers, scheduler.

The programs are Kubernetes' own, built once from their Go modules into the user's cache (`programs`).
`ControlPlane` starts them in a folder of its own. What is missing to a cluster is a kubelet: that of
the local stack runs the containers of one node as processes.
"""
