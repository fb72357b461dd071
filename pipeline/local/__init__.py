"""The local stack: the parts that a cluster would give the services, real ones, on this machine.

parts, java, kafka_cache      what the machine must have
processes, readiness          children that cannot outlive their parent; ports and deadlines
kafka, kafka_admin            Apache Kafka, one node; its topics and consumers
pods, cri, containers         each service as a pod's container: own process, CRI log, restart policy
log_agent                     CRI files -> log entries, as the agent of GKE makes them
cloud_logging                 the Logging API that takes and lists them
services, plan, state, stack  what runs, in which folder, started and ended as one
supervisor, control           the stack in the foreground, and what others do to it meanwhile
calls, quiet, demo            what a person does with it
"""
