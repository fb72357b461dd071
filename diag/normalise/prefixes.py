"""What viewers and runtimes write before a service's own line: a pod, a container, a stream, a time.

``kubectl logs --prefix --timestamps``, stern, kubetail, ``docker compose logs`` and the files of a container
runtime; one may stand inside of another.
"""

from __future__ import annotations

import re

from diag.normalise.draft import Draft
from diag.normalise.levels import STREAM_LEVELS
from diag.normalise.timestamps import to_instant

_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_HASHED_POD = r"[a-z0-9][a-z0-9.-]*-[a-f0-9]{6,10}-[a-z0-9]{5}"
_NAME = r"[a-z0-9][a-z0-9.-]*"

_CRI = re.compile(rf"({_STAMP}) (stdout|stderr) [FP](?::\S*)? ?")
_AT = re.compile(rf"({_STAMP}) ")
_WHERE = (
    re.compile(rf"\[pod/(?P<pod>{_NAME})/(?P<container>{_NAME})\] "),
    # kubetail: "[pod container] line", or the pod alone where it has one container
    re.compile(rf"\[(?P<pod>{_HASHED_POD}|{_NAME}-\d{{1,3}})(?: (?P<container>{_NAME}))?\]:? +"),
    # stern: "pod container line", with "namespace" before it for all of them
    re.compile(rf"(?:{_NAME} )?(?P<pod>{_HASHED_POD}) (?P<container>{_NAME}) (?:│ )?"),
    re.compile(rf"(?:{_NAME} )?(?P<pod>(?P<container>{_NAME})-\d{{1,3}}) (?P=container) (?:│ )?"),
    # docker compose: "orchestrator-1  | line"
    re.compile(r"(?P<container>[a-z0-9][a-z0-9_.-]*?)(?:-\d{1,3}|_\d{1,3}) +\| (?P<pod>)"),
)


def read_prefix(line: str, outer: Draft) -> tuple[Draft, str]:
    """What is known of the service's own words from before them, and those."""
    first = line[:1]
    if first == "[" or (first.islower() or first.isdigit()):
        outer, line = _read_where(line, outer)
    return _read_when(line, outer) if line[:1].isdecimal() else (outer, line)


def _read_where(line: str, outer: Draft) -> tuple[Draft, str]:
    for where in _WHERE:
        if (found := where.match(line)) is not None:
            pod, container = found["pod"], found["container"]
            hints = tuple(name for name in (container, pod) if name)
            return outer.holding(pod=pod, name_hints=hints), line[found.end() :]
    return outer, line


def _read_when(line: str, outer: Draft) -> tuple[Draft, str]:
    if (cri := _CRI.match(line)) is not None:
        envelope = outer if outer.log_name else outer._replace(log_name=cri[2])
        level = STREAM_LEVELS[cri[2]]
        return envelope.holding(time_ns=to_instant(cri[1]), level=level), line[cri.end() :]
    if (stamp := _AT.match(line)) is not None:
        return outer.holding(time_ns=to_instant(stamp[1])), line[stamp.end() :]
    return outer, line
