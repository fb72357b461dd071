"""Cloud Logging: credentials, the right to list entries, whether the cluster's logs are there, the clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from diag.app.doctor.clock import compare_clocks
from diag.errors import NotAllowedError
from diag.model.checkup import Answer, Health
from diag.model.instants import format_clock
from diag.model.log_resources import LogResource
from diag.model.records import LogRecord
from diag.model.settings import ClusterSettings, Settings
from diag.model.window import MINUTE_NS, Window

if TYPE_CHECKING:
    from diag.sources.cloud_logging import CredentialFacts, Visit

HOUR_NS = 60 * MINUTE_NS
_TIMEOUT_S = 8.0
_PAGE = 1000
_SHOWN = 4


class GoogleProbes:
    """What is asked of the projects: at most three requests, and one more for each further project."""

    def __init__(self, settings: Settings, now_ns: int) -> None:
        self._settings = settings
        # a clock of ours that is behind must not hide the newest entries: what it is worth is asked, too
        self._window = Window(now_ns - HOUR_NS, now_ns + HOUR_NS)
        self._visit: Visit | None = None
        self._readable: list[LogResource] = []

    def credentials(self) -> Answer:
        """Are there any, of which kind, do they still work?"""
        if not self._settings.logging.project:
            return Answer(
                Health.NOT_ASKED,
                "no Google Cloud project is named, and the kubeconfig's context is none of GKE's",
                "--project P, [logging] project, or gcloud container clusters get-credentials",
            )
        from diag.sources import cloud_logging

        if cloud_logging.is_plaintext(self._settings.logging.endpoint):
            return Answer(Health.OK, f"{self._settings.logging.endpoint} needs none")
        return Answer(Health.OK, _describe(cloud_logging.try_credentials()))

    def entries(self) -> Answer:
        """May entries be listed? One is enough to know, of each project: one refuses the request for all."""
        asked, told, refused = self._settings.logging.resources, list[str](), list[NotAllowedError]()
        for one in asked:
            try:
                self._visit = visit = self._look(self._settings.cluster, 1, (one,))
            except NotAllowedError as error:
                if len(asked) == 1:
                    raise
                refused.append(error)
            else:
                self._readable.append(one)
                none = "" if visit.entries or visit.has_more else "; there is none of the last hour"
                told.append(
                    f"{'log view' if one.view else 'project'} {one.label}: entries can be listed{none}"
                )
        said = "; ".join((*told, *map(str, refused)))
        if refused and not self._readable:
            raise NotAllowedError(said, hint=refused[0].hint)
        return _warn(said, refused[0].hint) if refused else Answer(Health.OK, said)

    def export(self) -> Answer:
        """Do the cluster's containers log here, and services that diag knows?"""
        visit = self._look(self._settings.cluster, _PAGE)
        if visit.entries:
            return self._describe_services(visit)
        where = _say_place(self._settings.cluster)
        if visit.has_more:
            return _warn(
                f"no entry of {where} was found so far; the service has not searched the whole last hour",
                "ask again, and name the cluster and the namespace",
            )
        others = _places(self._look(ClusterSettings(), _PAGE).entries).most_common(_SHOWN)
        if others:
            return _warn(
                f"no entry of {where} in the last hour; there are some of {', '.join(dict(others))}",
                "check --cluster, --location and --namespace against these",
            )
        return _warn(
            f"no entry of {where} in the last hour, and none was found of other containers of the project",
            "check the cluster's logging (gcloud container clusters describe: loggingConfig) and what the "
            "_Default sink excludes; if nothing ran, ask again after a call",
        )

    def clock(self) -> Answer:
        """How far is this machine's clock from the log service's?"""
        assert self._visit is not None  # noqa: S101  it is asked after the entries
        return compare_clocks(self._visit)

    def _look(self, cluster: ClusterSettings, most: int, logs: Sequence[LogResource] = ()) -> Visit:
        from diag.sources import cloud_logging

        asked = ",".join(one.name for one in logs or self._readable)
        settings = replace(self._settings.logging, project=asked)
        return cloud_logging.look(settings, cluster, self._window, most, _TIMEOUT_S)

    def _describe_services(self, visit: Visit) -> Answer:
        from diag import normalise
        from diag.app.coverage import hear
        from diag.catalogue import load_catalogue

        catalogue = load_catalogue(self._settings.catalogue.files)
        frame = normalise.to_frame(visit.entries, catalogue)
        heard = {one.service: one.entries for one in hear(frame) if one.service in catalogue.sides}
        newest = f"the newest {frame.height} entries" if visit.has_more else f"{frame.height} entries"
        told = f"{newest} of {_say_place(self._settings.cluster)} in the last hour"
        if not heard:
            return _warn(
                f"{told}, none of a service that diag knows",
                "describe your services: diag catalogue learn FILE",
            )
        sides = {catalogue.sides[service] for service in heard}
        silent = sorted({side for side in catalogue.sides.values() if side not in sides})
        named = ", ".join(sorted(heard))
        if not silent:
            return Answer(Health.OK, f"{told}: {named}")
        return Answer(
            Health.OK,
            f"{told}: {named}; not seen: {', '.join(silent)}",
            "if calls ran in that hour, check where the logs of what was not seen go (sinks, exclusions)",
        )


def _describe(facts: CredentialFacts) -> str:
    who = f"{facts.kind} ({facts.account})" if facts.account else facts.kind
    origin = ", named by GOOGLE_APPLICATION_CREDENTIALS" if facts.from_variable else ""
    good = "" if facts.expires_ns is None else f"; token good until {format_clock(facts.expires_ns, 0)} UTC"
    return f"{who}{origin}{good}"


def _warn(evidence: str, remedy: str) -> Answer:
    return Answer(Health.WARNING, evidence, remedy, partial=True)


def _say_place(cluster: ClusterSettings) -> str:
    named = [part for part in (cluster.location, cluster.name, cluster.namespace) if part]
    return "/".join(named) or "all clusters"


def _places(entries: Iterable[LogRecord]) -> Counter[str]:
    """``location/cluster/namespace`` -> entries."""
    forms = [record.data for record in entries if not isinstance(record.data, str)]
    labels = [form.get("resource", {}).get("labels", {}) for form in forms]
    keys = ("location", "cluster_name", "namespace_name")
    return Counter("/".join(str(one[key]) for key in keys if one.get(key)) for one in labels)
