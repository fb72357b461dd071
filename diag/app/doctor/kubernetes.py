"""The cluster: can its objects be listed, and which right is missing?"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from diag.app.cluster import NOBODY, cover_facts, find_context
from diag.app.request import Request
from diag.model.checkup import Answer, Health
from diag.model.settings import Settings

MOST_S = 20.0
_TIMEOUT_S = 4.0
_SHOWN = 3
_HOW = "--context C, [kubernetes] context, or gcloud container clusters get-credentials"


@dataclass(frozen=True, slots=True)
class KubernetesProbe:
    """What is asked of one cluster: what a session asks of it."""

    settings: Settings
    now_ns: int

    def objects(self) -> Answer:
        """May its workloads, pods and events be listed? Raises the reason why nothing can be had."""
        limited = replace(
            self.settings.kubernetes, timeout_s=min(self.settings.kubernetes.timeout_s, _TIMEOUT_S)
        )
        context = find_context(Request(settings=self.settings, now_ns=self.now_ns))
        if context is None:
            return Answer(Health.NOT_ASKED, f"Kubernetes: {NOBODY}", _HOW)
        from diag.sources.kube.source import read_cluster

        facts = asyncio.run(read_cluster(limited, context, self.settings.cluster.namespaces, self.now_ns))
        told = cover_facts(facts)
        evidence = f"{told.asked}: {told.got}"
        if not facts.unread:
            return Answer(Health.OK, evidence)
        missing = "; ".join(dict.fromkeys(one.reason for one in facts.unread[:_SHOWN]))
        more = f" and {len(facts.unread) - _SHOWN} more" if len(facts.unread) > _SHOWN else ""
        return Answer(
            Health.WARNING, f"{evidence}; not {missing}{more}", facts.unread[0].remedy, partial=True
        )
