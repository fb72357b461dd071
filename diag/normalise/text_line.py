"""A line of text, with whatever stands before what the service wrote.

Before it may stand a container runtime's stamp (``<time> stdout F``), what ``kubectl logs`` adds
(``[pod/NAME/CONTAINER]``, a time), or what somebody pasted (an emoji, a bullet).
"""

from __future__ import annotations

import re

import orjson

from diag.normalise.draft import BARE, Draft
from diag.normalise.json_line import read_json_line
from diag.normalise.levels import STREAM_LEVELS
from diag.normalise.timestamps import to_instant

_STAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)"
_CRI = re.compile(rf"({_STAMP}) (stdout|stderr) [FP] ?")
_KUBECTL = re.compile(rf"(?:\[pod/([a-z0-9.-]+)/([a-z0-9.-]+)\] )?(?:({_STAMP}) )?")
_PASTED = re.compile(r"[^\x00-\x7f\s]*[\s>*•-]{0,8}(?=\{)")


def read_text_line(line: str, outer: Draft = BARE) -> Draft:
    """The parts of one line, inside of what is known of it; what is JSON inside is read as JSON."""
    around, rest = _read_prefix(line, outer)
    start = _PASTED.match(rest) if "{" in rest else None
    if start is None:
        return around.holding(rest.strip())
    try:
        payload = orjson.loads(rest[start.end() :])
    except orjson.JSONDecodeError:
        return around.holding(rest.strip(), unparsed=True)
    return read_json_line(payload, around)


def _read_prefix(line: str, outer: Draft) -> tuple[Draft, str]:
    """What is known of the service's own words from before them, and those."""
    if not (line.startswith("[pod/") or line[:1].isdecimal()):
        return outer, line
    cri = _CRI.match(line)
    if cri is not None:
        envelope = Draft(log_name=cri[2]) if outer is BARE else outer
        level = STREAM_LEVELS[cri[2]]
        return envelope.holding(time_ns=to_instant(cri[1]), level=level), line[cri.end() :]
    kubectl = _KUBECTL.match(line)
    if kubectl is None or not kubectl[0]:
        return outer, line
    pod, container, stamp = kubectl.groups()
    hints = tuple(name for name in (container, pod) if name)
    around = outer.holding(time_ns=to_instant(stamp), pod=pod or "", name_hints=hints)
    return around, line[kubectl.end() :]
