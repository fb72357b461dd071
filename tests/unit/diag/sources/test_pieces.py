"""Lines that a container runtime cut are whole again, wherever the file is cut."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diag.sources.files import PartReading, parts
from diag.sources.files.content import read_content
from diag.sources.files.parts import split_file

AT = "2025-07-27T11:26:41.37200000"


def cri(number: int, stream: str, tag: str, text: str) -> str:
    return f"{AT}{number}Z {stream} {tag} {text}\n"


def docker(text: str, stream: str = "stdout") -> str:
    return json.dumps({"log": text, "stream": stream, "time": f"{AT}1Z"}) + "\n"


def read(text: str) -> list[tuple[str, object]]:
    return [(record.origin, record.data) for record in read_content(text.encode(), "f").records]


def test_pieces_of_a_cri_line_are_one_line() -> None:
    """With the first one's time and number; what follows keeps its own."""
    text = (
        cri(1, "stdout", "P", '{"msg":')
        + cri(2, "stdout", "P", '"a')
        + cri(3, "stdout", "F", ' b"}')
        + cri(4, "stdout", "F", "next")
    )

    assert read(text) == [("f:1", f'{AT}1Z stdout F {{"msg":"a b"}}'), ("f:4", f"{AT}4Z stdout F next")]


def test_both_streams_are_put_together_each_for_itself() -> None:
    """Their pieces alternate, and the order of the lines is that of their beginnings."""
    text = (
        cri(1, "stdout", "P", "out ") + cri(2, "stderr", "P", "err ") + cri(3, "stdout", "F", "one")
        + cri(4, "stdout", "F", "out two") + cri(5, "stderr", "F", "one")
    )  # fmt: skip

    assert read(text) == [
        ("f:1", f"{AT}1Z stdout F out one"), ("f:2", f"{AT}2Z stderr F err one"), ("f:4", f"{AT}4Z stdout F out two"),
    ]  # fmt: skip


def test_pieces_of_a_docker_line_are_one_line() -> None:
    """Only the last piece has the line's end."""
    text = docker('{"msg":') + docker("oops\n", "stderr") + docker('"a"}\n') + docker("next\n")
    whole = [data["log"] for _, data in read(text)]

    assert whole == ['{"msg":"a"}\n', "oops\n", "next\n"]
    assert [origin for origin, _ in read(text)] == ["f:1", "f:2", "f:4"]


def test_a_collector_that_leaves_the_ends_of_lines_away_wrote_whole_lines() -> None:
    """No line of such a file has an end, and none is a piece."""
    texts = [f"line {n}" for n in range(3_000)]

    assert [data["log"] for _, data in read("".join(map(docker, texts)))] == texts


def test_a_service_that_names_a_stream_is_no_runtime() -> None:
    """Its objects stay as they are."""
    lines = [{"log": "x", "stream": 7}, {"log": {"level": "info"}, "stream": "stdout"}, {"msg": "P stdout"}]

    assert [data for _, data in read("".join(json.dumps(line) + "\n" for line in lines))] == lines


def test_what_never_ends_is_kept() -> None:
    """A file that was cut in a line, or is made to do harm: each byte once, and not all at once in memory."""
    text = cri(1, "stdout", "F", "whole") + "".join(cri(2, "stdout", "P", f"<{n}>") for n in range(5_000))
    joined = "".join(str(data).partition(" stdout F ")[2] for _, data in read(text))

    assert joined == "whole" + "".join(f"<{n}>" for n in range(5_000))


ENDS = cri(9, "stdout", "F", "end") + cri(9, "stderr", "F", "end") + docker("end\n")
bursts = st.lists(
    st.lists(
        st.one_of(
            st.builds(cri, st.integers(0, 9), st.sampled_from(["stdout", "stderr"]), st.sampled_from("PF"), st.just("a")),
            st.sampled_from([docker("x"), docker("x\n"), '{"msg": "plain"}\n', "\n", "text\n"]),
        ),
        max_size=6,
    ).map(lambda lines: "".join(lines) + ENDS),
    max_size=20,
)  # fmt: skip


@settings(max_examples=100)
@given(bursts, st.integers(1, 2000), st.integers(1500, 3000))
def test_the_parts_of_a_file_with_pieces_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, bursts: list[str], size: int, block: int
) -> None:
    """No cut goes through a line, so parts that are read side by side need nothing of each other."""
    path = tmp_path_factory.mktemp("pieces") / "log"
    path.write_text("first\n" + "".join(bursts))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parts, "_BLOCK", block)
        found = split_file(str(path), "f", size)
    together = [record for part in found for record in PartReading(part)]

    assert together == list(read_content(path.read_bytes(), "f").records)


def test_a_file_of_one_endless_line_is_cut_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded, whatever a file says of itself."""
    monkeypatch.setattr(parts, "_BLOCK", 1 << 10)
    monkeypatch.setattr(parts, "_MOST_WITHOUT_END", 4 << 10)
    path = tmp_path / "log"
    path.write_text(cri(1, "stdout", "P", "x" * 50) * 500)

    assert len(split_file(str(path), "f", 1 << 10)) > 5
