"""A line of text, with whatever stands before what the service wrote.

Before it may stand a container runtime's stamp (``<time> stdout F``), what ``kubectl logs`` adds
(``[pod/NAME/CONTAINER]``, a time), or what somebody pasted (an emoji, a bullet).
"""

from __future__ import annotations

import re

import orjson

from diag.normalise.draft import Draft
from diag.normalise.json_line import read_json_line
from diag.normalise.timestamps import to_instant

_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_CRI = re.compile(rf"({_STAMP}) (stdout|stderr) [FP] ?")
_KUBECTL = re.compile(rf"(?:\[pod/([a-z0-9.-]+)/([a-z0-9.-]+)\] )?(?:({_STAMP}) )?")
_PASTED = re.compile(r"[^\x00-\x7f\s]*[\s>*•-]{0,8}(?=\{)")
_STREAM_LEVELS = {"stdout": "info", "stderr": "error"}


def read_text_line(line: str) -> Draft:
    """The parts of one line; what is JSON inside is read as JSON."""
    outer, rest = _read_prefix(line)
    start = _PASTED.match(rest)
    body = rest[start.end() :] if start else rest
    if not body.startswith("{"):
        return Draft(message=rest.strip()).under(outer)
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return Draft(message=rest.strip(), unparsed=True).under(outer)
    return read_json_line(payload).under(outer)


def _read_prefix(line: str) -> tuple[Draft, str]:
    """What stands before the service's own words, and those."""
    cri = _CRI.match(line)
    if cri is not None:
        level = _STREAM_LEVELS[cri[2]]
        return Draft(time_ns=to_instant(cri[1]), level=level, log_name=cri[2]), line[cri.end() :]
    kubectl = _KUBECTL.match(line)
    if kubectl is None or not kubectl[0]:
        return Draft(), line
    pod, container, stamp = kubectl.groups()
    hints = tuple(name for name in (container, pod) if name)
    return Draft(time_ns=to_instant(stamp), pod=pod or "", name_hints=hints), line[kubectl.end() :]
