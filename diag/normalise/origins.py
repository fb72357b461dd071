"""Entries of several projects: whose an entry is, and pods that only share a name.

A pod of a StatefulSet is called the same in every cluster (``media-server-0``); taken for one pod its clocks,
its order and its sessions would be a mixture of two. What comes of one project alone stays as it is.
"""

from __future__ import annotations

import polars as pl

from diag.model import frames

_PROJECT = "project"


def tell_origins(joined: pl.DataFrame) -> pl.DataFrame:
    """`joined` with the project before each reference, and before each pod's name that two projects have."""
    logs = joined[frames.LOG_NAME].unique()
    projects = logs.str.extract(r"^projects/([\w.:-]{1,100})/logs/")
    if projects.drop_nulls().n_unique() < 2:
        return joined
    of_log = pl.DataFrame({frames.LOG_NAME: logs, _PROJECT: projects})
    told = joined.join(of_log, on=frames.LOG_NAME, how="left", maintain_order="left")
    project, pod = pl.col(_PROJECT), pl.col(frames.POD)
    shared = (pod != "") & (project.drop_nulls().n_unique().over(frames.POD) > 1) & project.is_not_null()
    named = (pl.col(frames.INSERT_ID) != "") & project.is_not_null()
    return told.with_columns(
        _put_before(project, pod, shared).alias(frames.POD),
        _put_before(project, pl.col(frames.REF), named).alias(frames.REF),
    ).select(joined.columns)


def _put_before(project: pl.Expr, text: pl.Expr, where: pl.Expr) -> pl.Expr:
    """Once: frames that were joined are joined again."""
    start = project + "/"
    return pl.when(where & ~text.str.starts_with(start)).then(start + text).otherwise(text)
