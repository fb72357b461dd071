"""``diag config``: the settings in force and where each came from; is a settings file right."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import diag
from diag.app.catalogue import validate_catalogue
from diag.app.discovery import discover_settings
from diag.catalogue.document import Document
from diag.config import load_wanted_topics, load_with_origins
from diag.config.describe import describe_settings
from diag.config.document import read_settings_document
from diag.config.kafka import NOT_IN_FILES
from diag.config.load import COMMAND_LINE, ENVIRONMENT, find_file
from diag.config.secrets import to_shown
from diag.config.validate import check_document, check_environment, list_values
from diag.errors import DiagError, SettingsError
from diag.model.catalogue_report import Problem
from diag.model.secret import Secret
from diag.model.settings import Settings
from diag.model.settings_report import (
    Origin,
    SettingInfo,
    SettingInForce,
    SettingsCount,
    SettingsInForce,
    SettingsReport,
)


def show_settings(
    flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None
) -> SettingsInForce:
    """Every setting with its value and its origin; raises `SettingsError`."""
    loaded, origins = load_with_origins(flags, environment, file)
    settings = discover_settings(loaded)
    document = read_settings_document(settings.file) if settings.file else None
    rows = []
    for info in describe_settings():
        value, origin = _value(settings, info), origins.get(info.name, Origin.DEFAULT)
        if value != _value(loaded, info):
            origin = Origin.KUBECONFIG
        line = document.line_of((info.group, info.key)) if document else 0
        where = {
            Origin.FILE: f"{settings.file}:{line}",
            Origin.KAFKA_CONFIG: settings.kafka.config or "rpk.yaml",
            Origin.ENVIRONMENT: info.variable,
        }.get(origin, "")
        rows.append(SettingInForce(info, to_shown(info.name, value), origin, where))
    return SettingsInForce(settings.file, tuple(rows), diag.__version__)


def propose_settings() -> tuple[SettingInForce, ...]:
    """Every setting with what a new settings file says of it: its default, or what the kubeconfig tells."""
    found = discover_settings(Settings())
    return tuple(
        SettingInForce(info, value, Origin.DEFAULT if value == info.default else Origin.KUBECONFIG)
        for info in describe_settings()
        if info.name not in NOT_IN_FILES
        for value in (_value(found, info),)
    )


def _value(settings: Settings, info: SettingInfo) -> Any:
    value = getattr(getattr(settings, info.group), info.key)
    return str(value) if isinstance(value, Secret) else value


def validate_settings(
    file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any] | None = None
) -> SettingsReport:
    """Every fault of `file` and of `environment`; without a file of ``diag.toml`` here, if there is one.

    What `flags` name is looked into as well; that they are well formed is for loading to say.
    """
    path = file or find_file()
    document = read_settings_document(str(path)) if path else None
    problems = [] if document is None else list(check_document(document))
    counts = [] if document is None else [SettingsCount(document.name, len(list_values(document)))]
    variables = {name: value for name, value in environment.items() if name.startswith("DIAG_")}
    problems += check_environment(variables)
    counts += [SettingsCount(ENVIRONMENT, len(variables))] if variables else []
    if not problems:
        problems += _check_loaded(flags or {}, environment, path, document)
    return SettingsReport(tuple(counts), tuple(problems))


def _check_loaded(
    flags: Mapping[str, Any], environment: Mapping[str, str], path: Path | None, document: Document | None
) -> Iterator[Problem]:
    try:
        loaded = load_with_origins(flags, environment, path)
    except SettingsError as error:  # a file that is named, such as another client's
        yield Problem(document.name if document else ENVIRONMENT, 0, str(error), error.hint)
    else:
        yield from _check_contents(loaded, document)


def _check_contents(
    loaded: tuple[Settings, Mapping[str, Origin]], document: Document | None
) -> Iterator[Problem]:
    """Values of the right type that no source would take, and files that are named and wrong."""
    settings, origins = loaded
    for name, check in _CHECKS.items():
        try:
            check(settings)
        except DiagError as error:
            origin = origins.get(name)
            if document is not None and origin is Origin.FILE:
                yield document.problem(tuple(name.split(".")), str(error), error.hint)
            else:
                place = COMMAND_LINE if origin is Origin.OPTION else ENVIRONMENT
                yield Problem(place, 0, str(error), error.hint)
    yield from validate_catalogue(settings.catalogue.files).problems


def _check_endpoint(settings: Settings) -> None:
    if settings.logging.endpoint:
        from diag.sources.cloud_logging import check_endpoint

        check_endpoint(settings.logging.endpoint)


def _check_bootstrap(settings: Settings) -> None:
    if settings.kafka.bootstrap:
        from diag.sources.kafka import check_connection

        check_connection(settings.kafka)


def _check_topics(settings: Settings) -> None:
    load_wanted_topics(settings.topics.file)


_CHECKS: Mapping[str, Callable[[Settings], None]] = {
    "logging.endpoint": _check_endpoint,
    "kafka.bootstrap": _check_bootstrap,
    "topics.file": _check_topics,
}
