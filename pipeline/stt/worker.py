"""Runs in the recogniser's process, and nowhere else.

pocketsphinx holds the GIL while it decodes: in a thread of the service it would stop the event loop
for about a tenth of the audio's length.
"""

from __future__ import annotations

import os
import signal

from pocketsphinx import Decoder

from pipeline.wire.process import die_with_parent
from pipeline.wire.records import SAMPLE_RATE_HZ

_decoders: list[Decoder] = []


def load(parent_pid: int) -> None:
    """Load the model; called once, before any speech."""
    die_with_parent(parent_pid)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the service ends this process in its own time
    _decoders.append(Decoder(samprate=SAMPLE_RATE_HZ, loglevel="FATAL"))


def report_pid() -> int:
    """This process; answers once the model is loaded."""
    return os.getpid()


def transcribe(pcm: bytes) -> str:
    """The words in `pcm`, decoded as one whole utterance: better than piece by piece."""
    (decoder,) = _decoders
    decoder.start_utt()
    try:
        decoder.process_raw(pcm, no_search=False, full_utt=True)
    finally:
        decoder.end_utt()
    hypothesis = decoder.hyp()
    return hypothesis.hypstr.strip() if hypothesis is not None else ""
