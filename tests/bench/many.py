"""All sessions of a window in one go, beside what a database needs to group the same file by session.

    python -m tests.bench.many [--sessions N] [--runs N]

10,000 sessions are about a million entries, 1 GB. Three things are told: the ratio of the two whole processes,
run in turn, beside what it takes to decode the lines and do nothing with them; the memory of all of diag's
processes together at their fullest; and what each stage takes of an entry, by processor time in one process.
Then one session of 1,000 entries, after parsing.
"""

from __future__ import annotations

import argparse
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from statistics import median
from typing import Any

import orjson

from diag.app.coverage import describe_coverage, hear
from diag.app.judging import judge_session
from diag.app.many.intake import IntakeJob, take_in_part
from diag.app.many.judging import JudgingJob, judge_shard
from diag.app.many.plan import Plan, plan_shards
from diag.catalogue import load_catalogue
from diag.config import load_wanted_topics
from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import Query
from diag.model.identifiers import classify
from diag.model.records import LogRecord
from diag.model.window import Window
from diag.normalise import join_frames, to_frame
from diag.session.reconstruct import Reading, reconstruct
from diag.session.select import EventFinder
from diag.sources.files import Part, PartReading
from tests.accuracy.entries import to_entries
from tests.accuracy.world import build_world
from tests.cases import DEFAULTS, to_entry

DIAG = str(Path(sys.executable).with_name("diag"))
GROUP_BY = """
import duckdb, sys
sessions = duckdb.sql('''
    select coalesce(jsonPayload->>'sessionID', jsonPayload->>'session_id') as session,
           count(*), min(timestamp), max(timestamp)
    from read_json($file, format = 'newline_delimited',
                   columns = {timestamp: 'TIMESTAMP', jsonPayload: 'JSON'})
    group by session''', params={"file": sys.argv[1]}).fetchall()
print(len(sessions))
"""
DECODE = """
import orjson, sys
with open(sys.argv[1], "rb") as lines:
    for line in lines:
        orjson.loads(line)
"""
SAMPLE = 30_000
PROMISED_RATIO, PROMISED_MB, PROMISED_MS = 10, 1024, 50


def make_window(sessions: int) -> Iterator[dict[str, Any]]:
    """The accuracy corpus with the labels that GKE's entries carry."""
    for entry in to_entries(build_world(1, sessions)):
        yield {**entry, "labels": {**entry["labels"], **_labels(entry)}}


def write_window(path: Path, sessions: int) -> int:
    """The same as a file of lines; gives the number of entries."""
    written = 0
    with path.open("wb") as stream:
        for entry in make_window(sessions):
            stream.write(orjson.dumps(entry) + b"\n")
            written += 1
    return written


def _labels(entry: dict[str, Any]) -> dict[str, str]:
    pod = entry["resource"]["labels"]["pod_name"]
    owner, _, suffix = pod.rpartition("-")
    return {
        "compute.googleapis.com/resource_name": f"gke-voice-default-pool-3f1c9a2b-{suffix[:4]}",
        "k8s-pod/app_kubernetes_io/instance": entry["labels"]["k8s-pod/app"],
        "k8s-pod/app_kubernetes_io/managed-by": "Helm",
        "k8s-pod/pod-template-hash": owner.rpartition("-")[2],
        "logging.gke.io/top_level_controller_name": owner,
        "logging.gke.io/top_level_controller_type": "Deployment",
    }


def run(command: Sequence[str]) -> float:
    """Wall seconds."""
    begin = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - begin


def weigh(command: Sequence[str]) -> float:
    """The greatest memory of the process and its children in MB (Linux: shared parts once).

    In a run of its own: to be asked for their memory holds the processes up, by a fifth of their time.
    """
    most = 0
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None:
        most = max(most, sum(map(_memory_kb, [process.pid, *_children(process.pid)])))
        time.sleep(0.05)
    return most / 1024


def _children(pid: int) -> list[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _memory_kb(pid: int) -> int:
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:"))


def compare(file: Path, runs: int) -> None:
    """The two whole processes, in turn."""
    ours = (DIAG, "sessions", str(file), "--quiet")
    commands: dict[str, Sequence[str]] = {
        "bare group-by": (sys.executable, "-c", GROUP_BY, str(file)),
        "each line decoded, on one core": (sys.executable, "-c", DECODE, str(file)),
        "diag sessions": ours,
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            seconds[name].append(run(command))
    for name, found in seconds.items():
        print(f"{name:<34} {median(found):8.2f} s  ({min(found):.2f} to {max(found):.2f})")
    ratio = median(seconds["diag sessions"]) / median(seconds["bare group-by"])
    print(f"ratio {ratio:.1f} (promised: at most {PROMISED_RATIO})")
    print(f"memory {weigh(ours):.0f} MB (promised: at most {PROMISED_MB})")


def tell_stages(file: Path) -> None:
    """Each stage on the first entries of the file, in this process, which looks for cycles as seldom as diag."""
    gc.set_threshold(200_000)
    with tempfile.TemporaryDirectory() as name, file.open("rb") as stream:
        sample = Path(name) / "sample.ndjson"
        sample.write_bytes(b"".join(islice(stream, SAMPLE)))
        part = Part(str(sample), "sample")
        parsed, records = _timed(lambda: list(PartReading(part)))
        normalised, _ = _timed(lambda: join_frames([to_frame(records, load_catalogue())]))
        taken_in, digest = _timed(lambda: take_in_part(IntakeJob(Path(name), 0, ()), part))
        planned, plan = _timed(lambda: plan_shards([digest], SAMPLE))
        window = Window(digest.span[0], digest.span[1] + 1)
        source = SourceCoverage("files", State.COMPLETE, entries=digest.entries)
        coverage = describe_coverage(digest.heard, (source,), window, None)
        job = JudgingJob(Path(name), (), plan.crowded, coverage, wanted=load_wanted_topics(""))
        judged, lines = _timed(lambda: [line for shard in plan.shards for line in judge_shard(job, shard)])
    events, reconstructed = _time_reconstruction(records, plan, window)
    rows = (
        ("parsing", parsed),
        ("normalising and redacting", normalised),
        ("census and disk", taken_in - parsed - normalised),
        ("grouping", planned),
        ("events and indexes", events),
        ("reconstructing", reconstructed),
        ("judging, and a line for each", judged - events - reconstructed),
    )
    for stage, seconds in rows:
        print(f"  {stage:<32} {seconds / digest.entries * 1e6:8.1f} us an entry")
    whole = taken_in + planned + judged
    print(f"  {'all of it':<32} {whole / digest.entries * 1e6:8.1f} us an entry")
    print(
        f"  {'the last three':<32} {judged / len(lines) * 1e3:8.2f} ms a session of {digest.entries / len(lines):.0f} entries"
    )


def _time_reconstruction(records: list[LogRecord], plan: Plan, window: Window) -> tuple[float, float]:
    """Entries -> events, then events -> sessions, as `judge_shard` does both."""
    catalogue = load_catalogue()
    frame = join_frames([to_frame(records, catalogue)])
    asked = [text for shard in plan.shards for group in shard.groups for text in group.sessions]

    def load() -> EventFinder:
        finder = EventFinder(frame, catalogue, plan.crowded)
        finder.load(frozenset(asked))
        return finder

    def rebuild() -> None:
        reading = Reading(load(), catalogue, window, wanted=load_wanted_topics(""))
        told: set[str] = set()
        for text in asked:
            session = None if text in told else reconstruct(catalogue.classify(text), reading)
            told |= session.members if session else set()

    loaded, _ = _timed(load)
    rebuilt, _ = _timed(rebuild)
    return loaded, rebuilt - loaded


def _timed(work: Any) -> tuple[float, Any]:
    """The least of three."""
    found = []
    for _ in range(3):
        begin = time.process_time()
        result = work()
        found.append(time.process_time() - begin)
    return min(found), result


def tell_one_session(entries: int) -> None:
    """One session of so many entries, after parsing."""
    catalogue = load_catalogue()
    lines = islice(chain.from_iterable(map(_call, range(entries))), entries)
    records = [LogRecord(to_entry(line, number)) for number, line in enumerate(lines)]
    frame = join_frames([to_frame(records, catalogue)])
    times = frame["time"]
    window = Window(times.min(), times.max() + 1)  # type: ignore[arg-type, operator]  # each line has one
    coverage = describe_coverage(hear(frame), (SourceCoverage("files", State.COMPLETE),), window, None)
    asked = classify(DEFAULTS["S"])

    def work() -> None:
        reading = Reading(EventFinder(frame, catalogue), catalogue, window, wanted=load_wanted_topics(""))
        session = reconstruct(asked, reading)
        assert session is not None
        judge_session(Query(asked, window), session, reading, coverage)

    seconds, _ = _timed(work)
    print(
        f"one session of {entries} entries, after parsing: {seconds * 1e3:.0f} ms (promised: {PROMISED_MS})"
    )


def _call(turn: int) -> Iterator[str]:
    """Some lines of one turn."""
    session, socket = DEFAULTS["S"], DEFAULTS["W"]
    minute, second = divmod(turn, 60)
    if turn == 0:
        yield f"00:00.001 media-server info Using session ID from header :: sessionID={session}"
        yield f"00:00.002 orchestrator info Received session info from frontend :: connID={socket} sessionID={session}"
    for packet in range(10):
        at = f"{minute:02d}:{second:02d}.{100 + packet:03d}"
        yield f"{at} media-server info Audio published to Kafka successfully :: sessionID={session} packetSize=79"
    for place, (stage, state) in enumerate(
        (stage, state) for stage in ("stt", "llm", "tts") for state in ("executing", "complete")
    ):
        at = f"{minute:02d}:{second:02d}.{200 + place:03d}"
        yield f"{at} orchestrator info Updated service state :: sessionID={session} service={stage} state={state}"


def main() -> None:
    """Write the window, compare, tell the stages."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sessions", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "window.ndjson"
        entries = write_window(file, options.sessions)
        print(f"{entries:,} entries, {file.stat().st_size / 1e9:.2f} GB, {options.sessions:,} sessions")
        compare(file, options.runs)
        tell_stages(file)
    tell_one_session(1_000)


if __name__ == "__main__":
    main()
