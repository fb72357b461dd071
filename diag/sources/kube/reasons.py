"""Why a cluster can not be read, in one line each, with what to do about it."""

from __future__ import annotations

import json
import re
import ssl
from collections.abc import Iterator

from urllib3 import exceptions

from diag.errors import SourceError
from diag.normalise import redact_text
from diag.sources.kube.fields import text_at

_LONGEST = 200
_USER = re.compile(r'User "([^"]{1,120})"')
_EXPIRED, _UNTRUSTED = 10, (18, 19, 20, 21)
"""OpenSSL's verification codes (x509_vfy.h)."""
_OF_FILES = frozenset({"X509", "PEM", "ASN1"})
"""OpenSSL's rooms for certificates and keys; in another one it says `_UNREADABLE` of them."""
_UNREADABLE = "PEM lib"
_REFUSED = re.compile(r"alert (?:.*certificate|unknown ca|access denied)")
"""What a server says of a client's certificate, in OpenSSL's words."""
_WRAPPING = re.compile(r"\[[^\]]{0,80}\] ?|\s*\(_ssl\.c:\d+\)")
PLUGIN = "gke-gcloud-auth-plugin"


class RefusedError(Exception):
    """The API answered, and not with what was asked for.

    Attributes:
        status: of HTTP.
        said: its message, redacted, one line.
    """

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.said = _read_message(body)
        super().__init__(f"{status}: {self.said}")


def _read_message(body: bytes) -> str:
    """The message of a ``Status`` object, or of Google's; else nothing, it may be a proxy's page."""
    try:
        said = json.loads(body)
        return first_line(text_at(said, "message") or text_at(said, "error", "message"))
    except (ValueError, RecursionError):
        return ""


def first_line(text: str) -> str:
    """One line for a person, redacted and cut."""
    return redact_text(" ".join(text.split()))[:_LONGEST]


def explain_refusal(refused: RefusedError, what: str, right: str, namespace: str) -> tuple[str, str]:
    """What a refusal of one kind of objects means: the reason, and what to do.

    Args:
        refused: the answer.
        what: was asked for, in the plural.
        right: as a role names it: ``list pods``.
        namespace: empty for all of them.
    """
    where = f"in {namespace}" if namespace else "in all namespaces"
    if refused.status == 403:
        user = _USER.search(refused.said)
        who = f" (as {user[1]})" if user else ""
        scope = f"a RoleBinding in {namespace}" if namespace else "a ClusterRoleBinding, or name --namespace"
        return f"{what} {where}: not allowed{who}", f"grant {right}: the role view has it, by {scope}"
    if refused.status == 404:
        return f"{what}: this cluster does not have them ({refused.said})", "it may be too old for diag"
    if refused.status == 410:
        return f"{what} {where}: they changed while they were read, the rest is missing", "ask again"
    return f"{what} {where}: HTTP {refused.status} ({refused.said or 'no reason given'})", "ask again later"


def explain_forwarding(refused: RefusedError, namespace: str, pod: str) -> SourceError:
    """What a refusal to open a port of a pod means."""
    where = f"pod {namespace}/{pod}"
    if refused.status == 403:
        user = _USER.search(refused.said)
        who = f" (as {user[1]})" if user else ""
        return SourceError(
            f"opening a port of {where} is not allowed{who}",
            hint=f"grant get and create of pods/portforward in {namespace}: docs/kafka.md has the role",
        )
    if refused.status == 404:
        return SourceError(f"{where} is gone", hint="ask again: another may be in its place")
    return SourceError(
        f"no port of {where} can be opened: HTTP {refused.status} ({refused.said or 'no reason given'})",
        hint=f"is it running? kubectl get pod -n {namespace} {pod}",
    )


def explain_access(refused: RefusedError, place: str) -> SourceError | None:
    """What makes every question useless; None for what concerns one kind of objects alone."""
    if refused.status == 401:
        return SourceError(
            f"Kubernetes at {place}: the credentials are refused or have expired",
            hint="log in again: gcloud auth login, then gcloud container clusters get-credentials",
        )
    if 300 <= refused.status < 400:
        return SourceError(
            f"Kubernetes at {place} sends diag elsewhere (HTTP {refused.status}), which is not followed",
            hint="name the API server itself in the kubeconfig",
        )
    return None


def explain_failure(error: Exception, place: str, timeout_s: float) -> SourceError:
    """What the network or the TLS library says, for a person."""
    where = f"Kubernetes at {place}"
    for cause in _chain(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return _explain_certificate(cause, where)
            case exceptions.NameResolutionError():
                return SourceError(f"{where}: no such host", hint="check the server's name, DNS and the VPN")
            case ConnectionRefusedError():
                return SourceError(
                    f"{where} refuses the connection", hint="is the cluster up, and its address still this?"
                )
            case exceptions.NewConnectionError():
                pass  # a kind of timeout to the library, whatever hindered it: what it came from tells
            case exceptions.TimeoutError() | TimeoutError():
                return SourceError(
                    f"{where} did not answer within {timeout_s:g} s",
                    hint="a private cluster needs a VPN or authorized networks; or raise timeout_s",
                )
            case exceptions.ProxyError():
                return SourceError(f"{where}: the proxy does not let diag through", hint="check HTTPS_PROXY")
            case ssl.SSLError():
                return _explain_tls(cause, where)
            case _:
                pass
    said = first_line(str(error))
    return SourceError(f"{where} does not answer ({said})", hint="check the server's address and the network")


def is_cut(error: Exception) -> bool:
    """Whether a connection that stood was cut: before an answer, in its midst, or in the handshake of TLS."""
    return any(
        isinstance(cause, (exceptions.ProtocolError, ConnectionResetError, BrokenPipeError, ssl.SSLEOFError))
        for cause in _chain(error)
    )


def _explain_certificate(error: ssl.SSLCertVerificationError, where: str) -> SourceError:
    if error.verify_code == _EXPIRED:
        return SourceError(f"{where}: its certificate has expired", hint="renew it, or check this clock")
    if error.verify_code in _UNTRUSTED:
        return SourceError(
            f"{where}: its certificate is signed by an authority that the kubeconfig does not name",
            hint="get the credentials of this cluster again (gcloud container clusters get-credentials)",
        )
    return SourceError(
        f"{where}: its certificate is not for this address ({first_line(error.verify_message)})",
        hint="check the server's address; tls-server-name in the kubeconfig if a tunnel is on the way",
    )


def _explain_tls(error: ssl.SSLError, where: str) -> SourceError:
    """What went wrong with a file of ours, with what the server thinks of it, or with no TLS at all."""
    said = first_line(_WRAPPING.sub("", str(error)))
    if getattr(error, "library", None) in _OF_FILES or _UNREADABLE in said:
        return SourceError(
            f"{where}: a certificate or key that the kubeconfig holds can not be used ({said})",
            hint="get the credentials of this cluster again (gcloud container clusters get-credentials)",
        )
    if _REFUSED.search(said):
        return SourceError(
            f"{where}: the certificate of the login is missing, refused or expired ({said})",
            hint="log in again, or get a new certificate from who gave this one",
        )
    return SourceError(f"{where} speaks no TLS on this port", hint="check the server's address")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error, and what it came from."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        causes = (one.__cause__, one.__context__, getattr(one, "reason", None), *one.args)
        waiting += [cause for cause in causes if isinstance(cause, BaseException)]


def no_answer(place: str) -> SourceError:
    """Something answers that is no Kubernetes API."""
    return SourceError(
        f"Kubernetes at {place}: what answers there is no Kubernetes API", hint="check the server's address"
    )


def too_large(place: str, most: int) -> SourceError:
    """An answer that nobody can hold."""
    return SourceError(
        f"Kubernetes at {place}: an answer is larger than {most >> 20} MiB, and was not read",
        hint="name the namespace (--namespace)",
    )


def no_token(place: str) -> SourceError:
    """What the login gave can stand in no header; it is not repeated here."""
    return SourceError(
        f"Kubernetes at {place}: the token of the login holds characters that no token has",
        hint="kubectl config view shows which user it is; log in again",
    )
