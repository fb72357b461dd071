"""Pods of deployments: names as Kubernetes makes them, and what can be read back from a name.

A pod of a deployment is called ``<deployment>-<template hash>-<suffix>``. Both random-looking parts
use an alphabet without vowels and without 0, 1 and 3, so that no word can appear
(k8s.io/apimachinery, ``util/rand``).
"""

from __future__ import annotations

import random
import re
import uuid
import zlib
from dataclasses import dataclass

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
SUFFIX_CHARS = 5

_NAME = re.compile(rf"(?P<deployment>.+)-(?P<hash>[{ALPHABET}]{{8,10}})-(?P<suffix>[{ALPHABET}]{{5}})")


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod with one container."""

    namespace: str
    name: str
    uid: str
    container: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """What a pod's name says about its owner."""

    name: str
    template_hash: str


def mint_pod(service: str, namespace: str, template: str) -> Pod:
    """A new pod of the deployment `service`.

    `template` stands for the pod template: the same text gives the same hash, so a stack that is
    started again has new pods of the same deployment.
    """
    suffix = "".join(random.choices(ALPHABET, k=SUFFIX_CHARS))
    return Pod(namespace, f"{service}-{_template_hash(template)}-{suffix}", str(uuid.uuid4()), service)


def read_deployment(pod_name: str) -> Deployment | None:
    """The deployment of a pod of this name; None for a pod that no deployment made."""
    match = _NAME.fullmatch(pod_name)
    return Deployment(match["deployment"], match["hash"]) if match else None


def _template_hash(template: str) -> str:
    """Ten characters, as ``SafeEncodeString`` makes them of the digits of a 32-bit hash."""
    digits = f"{zlib.crc32(template.encode()):010d}"
    return "".join(ALPHABET[ord(digit) % len(ALPHABET)] for digit in digits)
