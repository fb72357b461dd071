"""What the audit log tells of a cluster: who changed what of the objects that pods are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClusterChange:
    """What somebody changed of a workload, or of its replica sets, as the audit log has it.

    Attributes:
        verb: ``create``, ``update``, ``patch``, ``delete``.
        kind: ``deployment``, ``statefulset``, ``replicaset``.
        images: of its template's containers then; none where the line does not have them.
        template: it was, or may have been, about what pods are made of.
        owner: of a replica set its deployment.
        number: of a replica set its revision's; 0 where it is not told.
        by: who, without an address of a person.
        source: the slug of where it was read.
        ref: where to look it up.
    """

    verb: str
    kind: str
    namespace: str
    name: str
    at_ns: int
    images: tuple[str, ...] = ()
    template: bool = False
    owner: str = ""
    number: int = 0
    by: str = ""
    source: str = ""
    ref: str = ""
