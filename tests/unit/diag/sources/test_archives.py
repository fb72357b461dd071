"""Archives of logs are read file by file, and nothing of them can do harm."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
from collections.abc import Callable, Mapping

import pytest

from diag.catalogue import load_catalogue
from diag.errors import DataError
from diag.model.frames import to_entries
from diag.normalise import to_frame
from diag.sources.files import archive, packed
from diag.sources.files.content import Content, holds_lines, read_content

POD = "orchestrator-5c9b7f6d84-q8wzn"
DUMP = {
    f"must-gather/namespaces/voice/pods/{POD}/orchestrator/orchestrator/logs/current.log": b"2025-07-27T11:26:41Z one\n\ntwo\n",
    f"must-gather/namespaces/voice/pods/{POD}/orchestrator/orchestrator/logs/previous.log": b"",
    "must-gather/export.json": json.dumps([{"msg": "three"}]).encode(),
    "must-gather/redpanda/0.log.gz": gzip.compress(b"four\n"),
    "must-gather/picture.png": b"\x89PNG\x00\x00",
}

Pack = Callable[[Mapping[str, bytes]], bytes]


def tar(files: Mapping[str, bytes], mode: str = "w") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as made:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def zip_(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return stream.getvalue()


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    return tar(files, "w:gz")


def tar_xz(files: Mapping[str, bytes]) -> bytes:
    return tar(files, "w:xz")


kinds = pytest.mark.parametrize("pack", [tar, tar_gz, tar_xz, zip_])


def origins(content: Content) -> list[str]:
    return [record.origin for record in content.records]


@kinds
def test_each_file_of_an_archive_is_read_as_what_it_is(pack: Pack) -> None:
    """With its own numbers of lines; what is no log is named, and no loss."""
    raw = pack(DUMP)
    content = read_content(raw, "dump")
    folder = f"dump!must-gather/namespaces/voice/pods/{POD}/orchestrator/orchestrator/logs"

    assert origins(content) == [
        f"{folder}/current.log:1", f"{folder}/current.log:3", "dump!must-gather/export.json:1", "dump!must-gather/redpanda/0.log.gz:1",
    ]  # fmt: skip
    assert content.problems == ()
    assert content.notes == ("dump: 1 file is binary and no logs: dump!must-gather/picture.png",)
    assert not holds_lines(raw[:8192])


@kinds
def test_an_archive_without_any_log_is_not_read(pack: Pack) -> None:
    """Rather than complete and empty; in another archive it costs that nothing but a line."""
    empty = pack({"core": b"\x7fELF\x00\x00\x01"})

    with pytest.raises(DataError, match="1 file is binary and no logs: dump!core"):
        read_content(empty, "dump")
    content = read_content(pack({"a.log": b"one\n", "b": empty}), "dump")
    assert origins(content) == ["dump!a.log:1"]
    assert [problem.partition(":")[0] for problem in content.problems] == ["dump!b"]


@kinds
def test_the_folders_of_a_dump_name_the_pod_and_the_service(pack: Pack) -> None:
    """Its files are all called alike."""
    entries = to_entries(to_frame(read_content(pack(DUMP), "dump").records, load_catalogue()))

    assert [(entry.pod, entry.service) for entry in entries[:2]] == [(POD, "orchestrator")] * 2
    assert entries[0].ref.endswith("/current.log:1")


@kinds
def test_an_archive_in_an_archive_is_read_and_endlessly_is_not(pack: Pack) -> None:
    """As a download of a download."""
    inner = pack({"a.log": b"one\n"})

    assert origins(read_content(pack({"inner": inner}), "x")) == ["x!inner!a.log:1"]
    with pytest.raises(DataError, match="an archive in an archive"):
        read_content(pack({"b": pack({"inner": inner})}), "x")


@kinds
@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\x", "a\nb", "\u202egol", "a:1"]
)
def test_a_name_is_only_a_name(pack: Pack, name: str, workdir) -> None:
    """Nothing is written anywhere, so no path can lead out of anything."""
    content = read_content(pack({name: b"one\n"}), "x")

    assert [record.data for record in content.records] == ["one"]
    assert content.records[0].origin.startswith("x!")
    assert list(workdir.iterdir()) == []


def test_links_and_devices_of_a_tar_are_passed_over() -> None:
    """Only files hold lines."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as made:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo("odd")
            info.type, info.linkname = kind, "/etc/passwd"
            made.addfile(info)
        info = tarfile.TarInfo("good")
        info.size = 4
        made.addfile(info, io.BytesIO(b"one\n"))

    assert origins(read_content(stream.getvalue(), "x")) == ["x!good:1"]


@kinds
def test_what_an_archive_may_hold_is_bounded(pack: Pack, monkeypatch: pytest.MonkeyPatch) -> None:
    """By number and by bytes, those of packed files among them; what came before is kept."""
    monkeypatch.setattr(packed, "LARGEST", 4 << 20)
    monkeypatch.setattr(archive, "_MOST_MEMBERS", 50)
    bomb = {"a.log": b"one\n", **{f"{n}.log.gz": gzip.compress(b"a" * (1 << 20)) for n in range(10)}}
    for files in (bomb, {f"{n}.log": b"one\n" for n in range(60)}):
        content = read_content(pack(files), "x")

        assert content.records[0].data == "one"
        assert content.problems
        assert sum(len(record.data) for record in content.records) <= 4 << 20


def test_one_broken_file_does_not_cost_the_others() -> None:
    """An encrypted member, a broken one, half an object."""
    raw = bytearray(
        zip_(
            {
                "a.log": b"first\n",
                "b.log": b"broken " * 99,
                "c.gz": b"\x1f\x8bno",
                "d.log": b'{"half": ',
                "e.log": b"last\n",
            }
        )
    )
    at = raw.index(b"b.log") + 10
    raw[at : at + 4] = b"\xff\xff\xff\xff"
    content = read_content(bytes(raw), "x")

    assert [content.records[0].data, content.records[-1].data] == ["first", "last"]
    assert [problem.partition(": ")[0] for problem in content.problems] == ["x!b.log", "x!c.gz", "x!d.log"]
    assert all("; " in problem for problem in content.problems)


@pytest.mark.parametrize("pack", [tar, zip_])
def test_an_archive_that_broke_off_gives_what_came_or_is_a_problem(pack: Pack) -> None:
    """A zip has its list at its end, a tar has none."""
    raw = pack({f"{n}.log": b"one\n" * 1_000 for n in range(5)})
    if pack is zip_:
        with pytest.raises(DataError, match="broken archive"):
            read_content(raw[: len(raw) // 2], "x")
    else:
        content = read_content(raw[: len(raw) // 2], "x")

        assert len(content.records) >= 2_000
        assert content.problems
