"""Whether a GKE cluster sends its containers' logs to Cloud Logging: its ``loggingConfig``, by the GKE API.

``GET https://container.googleapis.com/v1/projects/P/locations/L/clusters/C?fields=loggingConfig``; whoever
has roles/container.clusterViewer may ask.
"""

from __future__ import annotations

import functools
import ipaddress
import json
from typing import Any
from urllib.parse import quote, urlsplit

import urllib3

from diag.errors import SettingsError
from diag.model.cluster_view import Export, LogExport
from diag.model.settings import Settings
from diag.sources.kube import reasons
from diag.sources.kube.again import PASSING, PassingError, ask_patiently, read_wait
from diag.sources.kube.context import name_cluster
from diag.sources.kube.fields import dig, list_at

_ENDPOINT = "https://container.googleapis.com"
_SCOPE = "https://www.googleapis.com/auth/cloud-platform.read-only"
_WORKLOADS = "WORKLOADS"
_MOST_BYTES = 1 << 20


def ask_log_export(settings: Settings) -> LogExport:
    """What the GKE API says of the cluster that the settings name. A failure is an answer, too."""
    names = name_cluster(settings)
    if names is None:
        return _unknown("project, location and name of the cluster are not all known")
    path = "/v1/projects/{}/locations/{}/clusters/{}?fields=loggingConfig".format(
        *(quote(name, safe="") for name in names)
    )
    try:
        return _to_export(_get(settings, path))
    except SettingsError:
        raise
    except reasons.RefusedError as refused:
        hint = "; the account needs roles/container.clusterViewer" if refused.status == 403 else ""
        told = refused.said or "no reason given"
        return _unknown(f"the GKE API refuses to tell: HTTP {refused.status} ({told}){hint}")
    except Exception as error:  # noqa: BLE001  it is one fact of many, and who asks has others
        return _unknown(f"the GKE API could not be asked ({type(error).__name__})")


def _to_export(body: bytes) -> LogExport:
    try:
        config = dig(json.loads(body), "loggingConfig")
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        return _unknown("what the GKE API answers has no loggingConfig")
    told = list_at(config, "componentConfig", "enableComponents")
    components = tuple(sorted(one for one in told if isinstance(one, str)))
    if _WORKLOADS in components:
        return LogExport(Export.ON, components, note="loggingConfig has WORKLOADS")
    named = ", ".join(components) or "nothing"
    note = f"loggingConfig has {named}: what containers write does not go to Cloud Logging"
    return LogExport(Export.OFF, components, note=note)


def _get(settings: Settings, path: str) -> bytes:
    """What the API answers; raises `RefusedError` where that is a refusal."""
    endpoint, headers = settings.kubernetes.gke_endpoint, dict[str, str]()
    if endpoint.startswith("http://"):
        _check_loopback(endpoint)
    else:
        headers["authorization"] = f"Bearer {_fetch_token(settings.kubernetes.timeout_s)}"
    base = (endpoint or _ENDPOINT).rstrip("/")
    url = base if "://" in base else f"https://{base}"
    timeout = urllib3.Timeout(settings.kubernetes.timeout_s)
    with urllib3.PoolManager(timeout=timeout, retries=False) as pool:
        ask = functools.partial(_ask, pool, f"{url}{path}", headers)
        return ask_patiently(ask, settings.kubernetes.timeout_s)


def _ask(pool: urllib3.PoolManager, url: str, headers: dict[str, str]) -> bytes:
    try:
        answer = pool.request("GET", url, headers=headers, preload_content=False, redirect=False)
        try:
            body = answer.read(_MOST_BYTES)
        finally:
            answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        if reasons.is_cut(error):
            raise PassingError(error) from None
        raise
    if answer.status in PASSING:
        raise PassingError(reasons.RefusedError(answer.status, body), read_wait(answer.headers))
    if answer.status != 200:
        raise reasons.RefusedError(answer.status, body)
    return body


def _fetch_token(timeout_s: float) -> str:
    import google.auth  # noqa: PLC0415  only where Google is asked
    from google.auth.transport.requests import Request  # noqa: PLC0415  as above

    credentials: Any = google.auth.default(scopes=[_SCOPE])[0]
    credentials.refresh(functools.partial(Request(), timeout=timeout_s))
    return str(credentials.token)


def _check_loopback(endpoint: str) -> None:
    """Without TLS only to this machine."""
    host = urlsplit(endpoint).hostname or ""
    try:
        near = ipaddress.ip_address("127.0.0.1" if host == "localhost" else host).is_loopback
    except ValueError:
        near = False
    if not near:
        raise SettingsError(
            f"kubernetes.gke_endpoint {endpoint!r}: without TLS only an address of this machine is allowed",
            hint="use host:port for a TLS endpoint, http://127.0.0.1:PORT for a local one",
        )


def _unknown(note: str) -> LogExport:
    return LogExport(Export.UNKNOWN, note=note)
