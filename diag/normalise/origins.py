"""Entries of several projects and clusters: whose an entry is, and pods that only share a name.

A pod of a StatefulSet is called the same in every cluster and namespace (``media-server-0``); taken for one
pod its clocks, its order and its sessions would be a mixture of two. What comes of one alone stays as it is.
"""

from __future__ import annotations

import polars as pl

from diag.model import frames

_PROJECT, _LOCATION, _CLUSTER, _NAMESPACE = "project", "location", "cluster", "namespace"
_PARTS = (_PROJECT, _CLUSTER, _LOCATION, _NAMESPACE)
"""What a pod's name can need before it, as it stands there."""
_SOURCE = [frames.LOG_NAME, frames.SITE, frames.POD]
_TOLD = "told"


def tell_origins(joined: pl.DataFrame) -> pl.DataFrame:
    """`joined` with the project before references, and before a pod's name what tells it from namesakes.

    Frames that were joined are joined again, with others: what each was told by itself is told anew of all.
    """
    logs, sites = joined[frames.LOG_NAME].unique(), joined[frames.SITE].unique()
    known = _projects_of(logs).drop_nulls().unique().to_list()
    several = len(known) > 1
    if several or any(joined[frames.REF].str.starts_with(f"{one}/").any() for one in known):
        joined = _tell_refs(joined, logs, several=several)
    if (
        several
        or (sites != "").sum() > 1
        or joined[frames.POD].unique().str.contains("/", literal=True).any()
    ):
        joined = _tell_pods(joined)
    return joined


def _projects_of(logs: pl.Series) -> pl.Series:
    return logs.str.extract(r"^projects/([\w.:-]{1,100})/logs/")


def _tell_refs(joined: pl.DataFrame, logs: pl.Series, *, several: bool) -> pl.DataFrame:
    of_log = pl.DataFrame({frames.LOG_NAME: logs, _PROJECT: _projects_of(logs)})
    told = joined.join(of_log, on=frames.LOG_NAME, how="left", maintain_order="left")
    project = pl.col(_PROJECT)
    named = project.is_not_null() & (pl.col(frames.INSERT_ID) != "")
    bare = pl.col(frames.REF).str.strip_prefix(project + "/")
    ref = project + "/" + bare if several else bare
    return told.with_columns(pl.when(named).then(ref).otherwise(pl.col(frames.REF)).alias(frames.REF)).select(
        joined.columns
    )


def _tell_pods(joined: pl.DataFrame) -> pl.DataFrame:
    """The few sources that wrote all entries are told apart, and each entry is one of theirs."""
    sources = _with_bare_names(joined.select(_SOURCE).unique())
    for at, part in enumerate(_PARTS):
        sources = sources.with_columns(_is_needed(_PARTS[: at + 1]).alias(f"{part}?"))
    before = (
        pl.when(pl.col(f"{part}?") & (pl.col(part) != "")).then(pl.col(part) + "/").otherwise(pl.lit(""))
        for part in _PARTS
    )
    told = sources.select(*_SOURCE, pl.concat_str(*before, pl.col(_TOLD)).alias(_TOLD))
    if told[_TOLD].equals(told[frames.POD]):
        return joined
    named = joined.join(told, on=_SOURCE, how="left", maintain_order="left")
    return named.with_columns(pl.col(_TOLD).alias(frames.POD)).select(joined.columns)


def _with_bare_names(sources: pl.DataFrame) -> pl.DataFrame:
    """The parts of each source, empty where nothing tells them, and its pod without what stood before it."""
    site = pl.col(frames.SITE).str.splitn("/", 3)
    parts = sources.with_columns(
        _projects_of(sources[frames.LOG_NAME]).fill_null("").alias(_PROJECT),
        *(
            site.struct.field(f"field_{at}").fill_null("").alias(part)
            for at, part in enumerate((_LOCATION, _CLUSTER, _NAMESPACE))
        ),
    )
    bare = pl.col(frames.POD)
    for part in _PARTS:
        owned = pl.col(part) != ""
        bare = pl.when(owned).then(bare.str.strip_prefix(pl.col(part) + "/")).otherwise(bare)
    return parts.with_columns(bare.alias(_TOLD))


def _is_needed(parts: tuple[str, ...]) -> pl.Expr:
    """Whether the last of `parts` tells pods of one name apart that those before it do not."""
    *before, part = parts
    known = (pl.col(part) != "") & (pl.col(_TOLD) != "")
    among = pl.struct(before).filter(known).n_unique() if before else pl.lit(1)
    return (pl.struct(parts).filter(known).n_unique() > among).over(_TOLD)
