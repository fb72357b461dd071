"""A repository is read, whatever it is, and nothing of it is run."""

from __future__ import annotations

import os
import time
import zlib
from pathlib import Path
from threading import Event

import pytest

from diag.errors import SourceError
from diag.model.code import CodeFacts
from diag.sources.repo import Limits, Texts, Tree, read_repository
from diag.sources.repo import program as program_module
from diag.sources.repo import tree as tree_module
from tests.repositories import commit, git, make_repository, make_tree, write

FILES = {"app/main.py": "print('one')\n", "README.md": "words\n"}


def limits(seconds: float = 60) -> Limits:
    return Limits(time.monotonic() + seconds)


def read(path: Path | str) -> tuple[CodeFacts, int | None, Tree, Texts]:
    with read_repository(str(path), limits()) as repository:
        return repository.read_head(), repository.count_changed(), *repository.read_files()


def test_the_head_and_the_files_are_told(tmp_path: Path) -> None:
    """Hash, time, subject, branch, what differs from the commit; text as it is committed."""
    folder = make_repository(tmp_path / "r", FILES, "Say one")
    write(folder, {"app/main.py": "print('two')\n", "untracked.py": "pass\n"})
    head, changed, tree, texts = read(folder)

    assert (head.commit.hash, head.commit.subject) == (git(folder, "rev-parse", "HEAD").strip(), "Say one")
    assert head.commit.time_ns == 1753606800 * 10**9
    assert (head.branch, changed, head.bare, head.shallow) == ("main", 1, False, False)
    assert texts.by_path == {name: text.encode() for name, text in FILES.items()}
    assert len(tree.blobs) == 2


def test_a_secret_in_a_subject_is_not_told(tmp_path: Path) -> None:
    """Redacted as a log line is."""
    folder = make_repository(tmp_path / "r", FILES, "use password=hunter2secret for kafka")

    assert "hunter2secret" not in read(folder)[0].commit.subject


def test_any_folder_of_it_names_it(tmp_path: Path) -> None:
    """As git has it; a worktree and a detached head are repositories, too."""
    folder = make_repository(tmp_path / "a b\nc", FILES)
    git(folder, "worktree", "add", "--quiet", "--detach", str(tmp_path / "other"))

    assert read(folder / "app")[0].branch == "main"
    head, changed, _, texts = read(tmp_path / "other")
    assert (head.branch, changed, len(texts.by_path)) == ("", 0, 2)


def test_packed_refs_and_a_branch_of_many_parts_are_understood(tmp_path: Path) -> None:
    """What `git gc` leaves."""
    folder = make_repository(tmp_path / "r", FILES)
    git(folder, "checkout", "--quiet", "-b", "fix/session/ids")
    git(folder, "gc", "--quiet")
    git(folder, "pack-refs", "--all")

    assert read(folder)[0].branch == "fix/session/ids"


def test_a_bare_and_a_shallow_repository_say_so(tmp_path: Path) -> None:
    """A bare one has no files that could differ; a shallow one has no beginning."""
    folder = make_repository(tmp_path / "r", FILES)
    commit(folder, {"app/main.py": "print('two')\n"}, "second")
    git(tmp_path, "clone", "--quiet", "--bare", str(folder), "bare.git")
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{folder}", "shallow")

    head, changed, _, texts = read(tmp_path / "bare.git")
    assert (head.bare, changed, len(texts.by_path)) == (True, None, 2)
    with read_repository(str(tmp_path / "shallow"), limits()) as repository:
        assert repository.read_head().shallow
        tree, _ = repository.read_files()
        (file,) = repository.read_history(tree, ["README.md"])
    assert file.last is not None
    assert file.last.subject == "second"


def test_the_last_commit_of_a_file_is_the_one_that_touched_it(tmp_path: Path) -> None:
    """And a file that is not there has no blob."""
    folder = make_repository(tmp_path / "r", FILES, "first")
    second = commit(folder, {"app/main.py": "print('two')\n"}, "second")
    with read_repository(str(folder), limits()) as repository:
        tree, _ = repository.read_files()
        gone, words, code = repository.read_history(tree, ["app/main.py", "README.md", "GONE.md"])

    assert (gone.path, gone.blob, gone.last) == ("GONE.md", "", None)
    assert words.last is not None
    assert words.last.subject == "first"
    assert code.last is not None
    assert code.last.hash == second
    assert code.blob == git(folder, "rev-parse", "HEAD:app/main.py").strip()


def test_odd_subjects_and_names_are_kept_apart(tmp_path: Path) -> None:
    """Control characters, lines and words of git's own in a subject or in a name."""
    subject = f"\x01{'a' * 40} odd\x02 README.md"
    folder = make_repository(tmp_path / "r", {"README.md": "1\n", "a b\n\tc.py": "1\n"}, subject)
    commit(folder, {"-x.py": "1\n", ":(top)": "1\n"}, "second")
    with read_repository(str(folder), limits()) as repository:
        tree, _ = repository.read_files()
        files = repository.read_history(tree, ["README.md", "a b\n\tc.py", "-x.py", ":(top)"])

    assert {file.path: file.last.subject for file in files if file.last} == {
        "README.md": subject, "a b\n\tc.py": subject, "-x.py": "second", ":(top)": "second",
    }  # fmt: skip


def test_a_broken_object_is_said(tmp_path: Path) -> None:
    """And no fault of diag."""
    folder = make_repository(tmp_path / "r", FILES)
    name = git(folder, "rev-parse", "HEAD:README.md").strip()
    path = folder / ".git/objects" / name[:2] / name[2:]
    path.chmod(0o600)
    path.write_bytes(zlib.compress(b"blob 600\0cut short"))
    with read_repository(str(folder), limits()) as repository, pytest.raises(SourceError, match="git: "):
        repository.read_files()


PROGRAMS = ("core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "diff.external", "gpg.program",
            "pager.log", "pager.status", "core.alternateRefsCommand", "uploadpack.packObjectsHook",
            "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "diff.evil.textconv",
            "diff.evil.command", "merge.evil.driver", "credential.helper")  # fmt: skip
HOOKS = ("post-index-change", "pre-auto-gc", "post-checkout", "fsmonitor-watchman", "reference-transaction")


def test_nothing_that_a_hostile_repository_names_is_run(tmp_path: Path) -> None:
    """Neither its configuration's programs, nor its hooks, nor a filter that its attributes ask for."""
    folder = make_repository(
        tmp_path / "r", {**FILES, ".gitattributes": "* filter=evil diff=evil merge=evil\n"}
    )
    ran = tmp_path / "ran"
    evil = tmp_path / "evil.sh"
    evil.write_text(f"#!/bin/sh\necho \"$0 $*\" >> '{ran}'\n")
    evil.chmod(0o755)
    for name in PROGRAMS:
        git(folder, "config", name, str(evil))
    git(folder, "config", "log.showSignature", "true")
    git(folder, "config", "filter.evil.required", "true")
    git(folder, "config", "core.hooksPath", str(tmp_path / "hooks"))
    git(folder, "config", "core.worktree", "/")
    git(folder, "config", "remote.origin.url", f"ext::{evil}")
    git(folder, "config", "remote.origin.promisor", "true")
    git(folder, "config", "extensions.partialClone", "origin")
    for place in (tmp_path / "hooks", folder / ".git/hooks"):
        place.mkdir(exist_ok=True)
        for hook in HOOKS:
            (place / hook).unlink(missing_ok=True)
            (place / hook).symlink_to(evil)
    write(folder, {"app/main.py": "print('changed')\n"})
    os.utime(folder / "README.md", (1, 1))
    before = sorted((path, path.stat().st_mtime_ns) for path in (folder / ".git").rglob("*"))
    head, changed, _, texts = read(folder)

    assert not ran.exists(), ran.read_text()
    assert (head.commit.subject, changed, len(texts.by_path)) == ("first", 1, 3)
    assert sorted((path, path.stat().st_mtime_ns) for path in (folder / ".git").rglob("*")) == before
    git(folder, "status")
    assert ran.exists(), "the trap was set"


def test_a_git_that_lies_in_the_repository_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor one that a relative entry of PATH would find there."""
    folder = make_repository(tmp_path / "r", FILES)
    ran = tmp_path / "ran"
    (folder / "git").write_text(f"#!/bin/sh\ntouch '{ran}'\n")
    (folder / "git").chmod(0o755)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}")
    read(folder)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(SourceError, match="lies in the repository"):
        read(folder)

    assert not ran.exists()


def test_links_and_submodules_are_named_and_not_followed(tmp_path: Path) -> None:
    """A link out of the tree gives nothing of what it leads to."""
    other = make_repository(tmp_path / "other", {"secret.txt": "of another\n"})
    folder = make_repository(tmp_path / "r", FILES)
    (folder / "link").symlink_to("/etc/passwd")
    git(folder, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other), "sub")
    commit(folder, {})
    _, _, tree, texts = read(folder)

    assert (tree.links, tree.submodules) == (1, ("sub",))
    assert set(texts.by_path) == {*FILES, ".gitmodules"}


def test_what_is_no_text_or_too_large_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Binary, huge and odd files; the smallest come first where all are too much."""
    monkeypatch.setattr(tree_module, "LARGEST_FILE", 1000)
    monkeypatch.setattr(tree_module, "MOST_TEXT", 1200)
    odd = {"bad-utf8-\udcff.py": b"\xff\xfe\n", "a\nb": b"c\n"}
    folder = make_repository(
        tmp_path / "r",
        {"b.bin": b"\0\1", "large.txt": b"x" * 1001, "m.txt": b"y" * 900, "n.txt": b"z" * 950, **odd},
    )
    _, _, _, texts = read(folder)

    assert (texts.binary, texts.large, texts.beyond) == (1, 1, 1)
    assert set(texts.by_path) == {"m.txt", "bad-utf8-\\xff.py", "a\nb"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "no such folder"),
        (lambda folder: folder.write_text("x"), "is a file, no repository"),
        (lambda folder: folder.mkdir(), "no git repository"),
        (lambda folder: folder.mkdir() or git(folder, "init", "--quiet"), "names no commit"),
        (lambda folder: folder.mkdir() or (folder / ".git").write_text("gitdir: /nowhere"), "no repository"),
        (lambda folder: make_repository(folder, FILES) and (folder / ".git/HEAD").write_text("ref: ../../x"), "names no commit"),
        (lambda folder: make_repository(folder, FILES) and (folder / ".git/HEAD").write_text("f" * 40), "git: "),
        (lambda folder: make_repository(folder, FILES) and (folder / ".git/HEAD").write_bytes(b"\xff\0"), "names no commit"),
    ],
)  # fmt: skip
def test_what_is_no_repository_is_said_in_one_line(tmp_path: Path, make, said: str) -> None:
    """With what to do."""
    make(tmp_path / "r")
    with pytest.raises(SourceError, match=said) as caught:
        read(tmp_path / "r")

    assert caught.value.hint
    assert "\n" not in str(caught.value).replace(str(tmp_path), "")


def test_a_path_that_can_be_no_path_is_no_fault(tmp_path: Path) -> None:
    """A null byte, a name too long, a pipe in the place of the head."""
    for name in ("a\0b", "x" * 5000):
        with pytest.raises(SourceError):
            read(name)
    folder = make_repository(tmp_path / "r", FILES)
    (folder / ".git/refs/heads/main").unlink()
    os.mkfifo(folder / ".git/refs/heads/main")
    with pytest.raises(SourceError, match="names no commit"):
        read(folder)


def test_files_that_are_missing_are_counted_and_nothing_is_fetched(tmp_path: Path) -> None:
    """A partial clone has no blobs; nobody is asked for them."""
    folder = make_repository(tmp_path / "r", FILES)
    git(folder, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{folder}", "partial")
    _, _, tree, texts = read(tmp_path / "partial")

    assert tree.missing == 2
    assert texts.by_path == {}


def test_a_bomb_of_trees_is_a_bounded_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten billion files in a few hundred bytes: neither memory nor time is spent on them, the head stays."""
    monkeypatch.setattr(program_module, "MOST_BYTES", 4_000_000)
    folder = make_repository(tmp_path / "r", {"f": "x\n"})
    below, kind, mode = git(folder, "hash-object", "-w", "f").strip(), "blob", "100644"
    for _ in range(10):
        rows = "".join(f"{mode} {kind} {below}\tf{n}\n" for n in range(10))
        below, kind, mode = make_tree(folder, rows), "tree", "040000"
    bomb = git(folder, "commit-tree", below, "-m", "bomb").strip()
    git(folder, "update-ref", "refs/heads/main", bomb)

    with read_repository(str(folder), limits()) as repository:
        assert repository.read_head().commit.subject == "bomb"
        with pytest.raises(SourceError, match="larger than"):
            repository.read_files()
    with read_repository(str(folder), limits(2)) as repository, pytest.raises(SourceError):
        repository.count_changed()


def test_the_time_and_an_interruption_end_it(tmp_path: Path) -> None:
    """Git is ended with it."""
    folder = make_repository(tmp_path / "r", FILES)
    stopped = Event()
    stopped.set()
    for limit, said in (
        (Limits(time.monotonic() - 1), "the time for it"),
        (Limits(2**40, stopped), "interrupted"),
    ):
        with read_repository(str(folder), limit) as repository, pytest.raises(SourceError, match=said):
            repository.read_head()
