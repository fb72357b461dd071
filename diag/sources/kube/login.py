"""A kubeconfig -> the connection that it describes, logged in. Nothing is asked of the cluster."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from urllib.parse import urlsplit

from kubernetes import config
from kubernetes.client.configuration import Configuration
from kubernetes.config.config_exception import ConfigException
from kubernetes.config.kube_config import KubeConfigMerger
from yaml import YAMLError

from diag.errors import SourceError
from diag.model.settings import KubernetesSettings
from diag.sources.kube import reasons
from diag.sources.kube.context import find_kubeconfig, runs_in_cluster
from diag.sources.kube.fields import dig, list_at, text_at

_LOADER = cast("Any", config)  # the library has no types
_WRONG_FILE = (
    ConfigException, OSError, TypeError, ValueError, AttributeError, KeyError, YAMLError, RecursionError,
)  # fmt: skip

_SAID_ELSEWHERE = "'NoneType' object has no attribute 'strip'"
"""The library's own mistake (kubernetes 37, exec_provider.py): on a terminal a command's words go past it."""


def log_in(settings: KubernetesSettings, context: str) -> tuple[Any, str, str]:
    """The connection's configuration, its name for a person, and the context's namespace.

    Without a context the current one; without a kubeconfig, in a pod, the cluster that it runs in. Raises
    `SourceError`.
    """
    configuration = Configuration()
    file = find_kubeconfig(settings.kubeconfig)
    try:
        merged = KubeConfigMerger(file).config  # type: ignore[no-untyped-call]  # the library has no types
        if merged is None and not settings.is_named and runs_in_cluster():
            _LOADER.load_incluster_config(configuration)
            return configuration, "the cluster that diag runs in", ""
        if merged is None:
            raise _no_file(file)
        kubeconfig = merged.value
        name = context or text_at(kubeconfig, "current-context")
        found = _find(kubeconfig, "contexts", name)
        if found is None:
            raise _no_context(name, kubeconfig, file)
        user = _find(kubeconfig, "users", text_at(found, "context", "user"))
        _check_plugin(user)
        _load(configuration, file, name, user)
        configuration.host = _complete(configuration, name, file)
    except _WRONG_FILE as error:
        told = reasons.first_line(str(error))
        raise SourceError(
            f"Kubernetes: {file} is no kubeconfig that can be used ({told})",
            hint="kubectl config view shows it",
        ) from error
    return configuration, name or urlsplit(configuration.host).netloc, text_at(found, "context", "namespace")


def _load(configuration: Any, file: str, context: str, user: Any) -> None:
    """Let the library read the file and log in; it only writes to its log that a command gave nothing."""
    try:
        with _listening() as said:
            # never written back: the file is the user's
            _LOADER.load_kube_config(file, context, configuration, persist_config=False)
    except _WRONG_FILE:
        raise
    except Exception as error:  # an auth-provider is a library of its own, with errors of its own
        raise _login_failed(context, str(error), user) from error
    came = "BearerToken" in configuration.api_key or configuration.cert_file
    if dig(user, "user", "exec") and not came:
        raise _login_failed(context, " ".join(said), user)


def _complete(configuration: Any, context: str, file: str) -> str:
    """The server's address, with the scheme that kubectl takes where none is written."""
    host = str(configuration.host)
    if host and "://" not in host:
        secured = configuration.ssl_ca_cert or configuration.cert_file or not configuration.verify_ssl
        host = f"{'https' if secured else 'http'}://{host}"
    if not urlsplit(host).hostname:
        raise SourceError(
            f"Kubernetes: {file} names no server for context {context!r}", hint="kubectl config view shows it"
        )
    return host


def _login_failed(context: str, said: str, user: Any) -> SourceError:
    if _SAID_ELSEWHERE in said:
        said = "its command failed, and said above why"
    if provider := text_at(user, "user", "auth-provider", "name"):
        said = f"by auth-provider {provider}: {said}"
        hint = (
            "kubectl knows it no more either: gcloud container clusters get-credentials writes the file anew"
        )
    else:
        hint = "gcloud auth login" if _is_google(user) else "run its command by hand"
    return SourceError(
        f"Kubernetes: the login of context {context!r} failed ({reasons.first_line(said)})", hint=hint
    )


def _find(kubeconfig: Any, rows: str, name: str) -> Any:
    return next(
        (_unwrap(one) for one in list_at(kubeconfig, rows) if text_at(_unwrap(one), "name") == name), None
    )


def _unwrap(node: Any) -> Any:
    """What the library's wrapper around a part of a kubeconfig holds."""
    return getattr(node, "value", node)


def _check_plugin(user: Any) -> None:
    """The command that fetches the token: without it the library only writes a line to stderr.

    One with a path that is not absolute begins at the kubeconfig, and the library looks for it there.
    """
    command = text_at(user, "user", "exec", "command")
    is_relative = "/" in command and not command.startswith("/")
    if command and not is_relative and shutil.which(command) is None:
        install = (
            f"gcloud components install {reasons.PLUGIN}" if _is_google(user) else "install it, or mend PATH"
        )
        raise SourceError(
            f"Kubernetes: {command}, which the kubeconfig logs in by, is not installed", hint=install
        )


def _is_google(user: Any) -> bool:
    return reasons.PLUGIN in text_at(user, "user", "exec", "command")


def _no_file(file: str) -> SourceError:
    return SourceError(
        f"Kubernetes: there is no kubeconfig at {file}",
        hint="gcloud container clusters get-credentials CLUSTER, or --kubeconfig FILE",
    )


def _no_context(name: str, kubeconfig: Any, file: str) -> SourceError:
    names = ", ".join(text_at(_unwrap(one), "name") for one in list_at(kubeconfig, "contexts")[:5])
    what = f"has no context {name!r}" if name else "has no current context"
    return SourceError(
        f"Kubernetes: {file} {what}", hint=f"--context with one of: {names}" if names else "name another"
    )


@contextmanager
def _listening() -> Iterator[list[str]]:
    """What the library tells the log, which is where it says why a login failed."""
    said: list[str] = []

    class _Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record.getMessage())

    ear = _Ear()
    logging.getLogger().addHandler(ear)
    try:
        yield said
    finally:
        logging.getLogger().removeHandler(ear)
