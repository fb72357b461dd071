"""The connection to one cluster's API: read-only, JSON as it comes.

Of the client library the credentials and the transport are used. Its classes for objects cost half a second
to load and refuse what they do not know, and what a cluster holds is anybody's.
"""

from __future__ import annotations

import json
import socket
import warnings
from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import urlencode

from kubernetes.client.exceptions import ApiException
from kubernetes.client.rest import RESTClientObject
from urllib3.exceptions import HTTPError, InsecureRequestWarning

from diag.model.settings import KubernetesSettings
from diag.sources.kube import reasons
from diag.sources.kube.again import PASSING, PassingError, ask_patiently, read_wait
from diag.sources.kube.login import log_in

SIDE_BY_SIDE = 8
"""Requests that one cluster is asked at a time."""

_MOST_BYTES = 64 << 20


class Api:
    """GET, and nothing else; one that becomes a WebSocket is one, too. May be used from several threads."""

    def __init__(self, configuration: Any, place: str, namespace: str, timeout_s: float) -> None:
        self.place = place
        self.namespace = namespace
        self.requests = 0
        self._configuration = configuration
        self._host = str(
            configuration.host
        )  # asked for a token, the library sets it anew, as the file has it
        self._timeout_s = timeout_s
        self._rest = RESTClientObject(configuration)

    def get(
        self, path: str, query: Mapping[str, str] | Mapping[str, str | int] | None = None
    ) -> Mapping[str, Any]:
        """The object at `path`; raises `RefusedError` for an answer that is none, and `SourceError`."""
        body, cut = self.get_bytes(path, query, _MOST_BYTES)
        if cut:
            raise reasons.too_large(self.place, _MOST_BYTES)
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise reasons.no_answer(self.place)
        return found

    def get_bytes(
        self, path: str, query: Mapping[str, str] | Mapping[str, str | int] | None, most: int
    ) -> tuple[bytes, bool]:
        """At most so many bytes of an answer, and whether there are more; raises as `get`.

        A cut connection and a server that is busy are asked again, within the time of one answer.
        """
        url = f"{self._host}{path}" + (f"?{urlencode(query)}" if query else "")
        return ask_patiently(partial(self._ask, url, most), self._timeout_s)

    def _ask(self, url: str, most: int) -> tuple[bytes, bool]:
        self.requests += 1
        timeout = (self._timeout_s, self._timeout_s)
        try:
            rest: Any = self._rest  # the library has no types
            answer = rest.request("GET", url, self._headers(), _request_timeout=timeout).response
            try:
                body = answer.read(most + 1)
            finally:
                answer.release_conn()
        except (ApiException, HTTPError, OSError, ValueError) as error:
            failure = reasons.explain_failure(error, self.place, self._timeout_s)
            raise PassingError(failure) if reasons.is_cut(error) else failure from error
        if answer.status in PASSING:
            raise PassingError(reasons.RefusedError(answer.status, body), read_wait(answer.headers))
        if answer.status != 200:
            refused = reasons.RefusedError(answer.status, body)
            raise reasons.explain_access(refused, self.place) or refused
        return body[:most], len(body) > most

    def forward(self, path: str, port: int) -> socket.socket:
        """A connection to a port of the pod at `path`, carried by a thread until one side closes it.

        Raises as `get`.
        """
        from kubernetes.stream.ws_client import portforward_call  # noqa: PLC0415  only where it is asked

        url, query = f"{self._host}{path}", [("ports", str(port))]
        self.requests += 1
        try:
            ports: Any = portforward_call(  # type: ignore[no-untyped-call]  # the library has no types
                self._configuration, "GET", url, query_params=query, headers=self._headers()
            )
        except ApiException as error:
            # The library puts status and body into a text; what it was told before has them as they were.
            status, body = (getattr(error.__context__, name, None) for name in ("status_code", "resp_body"))
            if not status:
                raise reasons.explain_failure(error, self.place, self._timeout_s) from error
            refused = reasons.RefusedError(status, body or b"")
            raise reasons.explain_access(refused, self.place) or refused from error
        return socket.socket(fileno=ports.socket(port).detach())

    def _headers(self) -> dict[str, str]:
        """Raises `SourceError` for a token that no header can hold: the library would repeat it."""
        found = self._configuration.get_api_key_with_prefix("BearerToken", alias="authorization")
        token = str(found or "").strip()  # a file of a token ends with a line's end
        if not (token.isascii() and token.isprintable()):
            raise reasons.no_token(self.place)
        return {"accept": "application/json, */*", **({"authorization": token} if token else {})}

    def close(self) -> None:
        """Give the connections back."""
        self._rest.close()


def connect(settings: KubernetesSettings, context: str = "") -> Api:
    """The API of a context, not yet asked for anything; raises `SourceError` where there is none.

    Without a context the current one; without a kubeconfig, in a pod, the cluster that it runs in.
    """
    configuration, place, namespace = log_in(settings, context or settings.context)
    if not configuration.verify_ssl:  # the kubeconfig says so, and the library warns at each request
        warnings.filterwarnings("ignore", category=InsecureRequestWarning)
    configuration.retries = (
        False  # what is asked again is ours to say; a redirect would take the token elsewhere
    )
    configuration.connection_pool_maxsize = SIDE_BY_SIDE + 1  # and the version
    return Api(configuration, place, namespace, settings.timeout_s)
