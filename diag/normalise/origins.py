"""Entries of several projects: whose an entry is, and pods that only share a name.

A pod of a StatefulSet is called the same in every cluster (``media-server-0``); taken for one pod its clocks,
its order and its sessions would be a mixture of two. What comes of one project alone stays as it is.
"""

from __future__ import annotations

import polars as pl

from diag.model import frames

_PROJECT = "project"


def tell_origins(joined: pl.DataFrame) -> pl.DataFrame:
    """`joined` with the project before each reference, and before each pod's name that two projects have.

    Frames that were joined are joined again, with others: what each was told by itself is told anew of all.
    """
    logs = joined[frames.LOG_NAME].unique()
    projects = logs.str.extract(r"^projects/([\w.:-]{1,100})/logs/")
    known = projects.drop_nulls().unique().to_list()
    several = len(known) > 1
    if not several and not any(joined[frames.REF].str.starts_with(f"{one}/").any() for one in known):
        return joined
    of_log = pl.DataFrame({frames.LOG_NAME: logs, _PROJECT: projects})
    told = joined.join(of_log, on=frames.LOG_NAME, how="left", maintain_order="left")
    project, pod, ref = pl.col(_PROJECT), pl.col(frames.POD), pl.col(frames.REF)
    owned = project.is_not_null()
    named = owned & (pl.col(frames.INSERT_ID) != "")
    told = told.with_columns(
        pl.when(owned).then(pod.str.strip_prefix(project + "/")).otherwise(pod),
        pl.when(named).then(ref.str.strip_prefix(project + "/")).otherwise(ref),
    )
    shared = owned & (pod != "") & (project.drop_nulls().n_unique().over(frames.POD) > 1)
    return told.with_columns(
        pl.when(shared & several).then(project + "/" + pod).otherwise(pod).alias(frames.POD),
        pl.when(named & several).then(project + "/" + ref).otherwise(ref).alias(frames.REF),
    ).select(joined.columns)
