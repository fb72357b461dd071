"""Autoscalers: what hinders one is told, so that a number that it could not tell is not taken for a wish."""

from __future__ import annotations

import pytest

from diag.sources.kube.network import to_autoscalers

OK = {"type": "AbleToScale", "status": "True", "reason": "SucceededGetScale"}
BLIND = {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric"}
BOUND = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}
FREE = {"type": "ScalingLimited", "status": "False", "reason": "DesiredWithinRange"}
STUCK = {"type": "AbleToScale", "status": "False", "reason": "FailedGetScale"}


@pytest.mark.parametrize(
    ("conditions", "limited"),
    [
        ([OK, FREE], ""),
        ([OK, BOUND], "TooManyReplicas"),
        ([OK, BLIND, BOUND], "FailedGetResourceMetric"),
        ([STUCK], "FailedGetScale"),
        ([], ""),
        ([None, 5, {"type": ["ScalingActive"]}], ""),
    ],
)
def test_what_hinders_it_is_told(conditions: list, limited: str) -> None:
    """First what keeps it from counting: without metrics it wants 0 and means nothing by it."""
    found = {"metadata": {"name": "stt"}, "spec": {"maxReplicas": 3}, "status": {"conditions": conditions}}

    (scaler,) = to_autoscalers([found])

    assert scaler.limited == limited
