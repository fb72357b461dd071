"""Where messages are written, and who calls what writes them."""

from __future__ import annotations

from textwrap import dedent

import pytest

from diag.catalogue import load_catalogue
from diag.code import Survey, survey_code, to_known_texts, to_text
from diag.code.other import outline_text
from diag.model.code import LogText, Means

SENT = LogText("Reply sent to the caller", ("Reply sent to the caller",), "orchestrator", "bcast.delivered")
GONE = LogText(
    "Session %s is gone after %d ms", ("Session ", " is gone after ", " ms"), "orchestrator", "log"
)


def survey(files: dict[str, str], *logs: LogText) -> Survey:
    return survey_code({path: dedent(text).encode() for path, text in files.items()}, logs or (SENT,))


def places(files: dict[str, str], *logs: LogText) -> list[tuple[str, str, str]]:
    (text,) = survey(files, *logs).texts
    return [(place.ref, place.function, place.means.value) for place in text.places]


PYTHON = '''
    class Delivery:
        """Reply sent to the caller: what it is about."""

        def send(self, log):
            # Reply sent to the caller
            log.info("Reply sent to the caller")
'''


def test_python_is_known_by_its_syntax() -> None:
    """The call, with its class; neither the docstring nor the remark."""
    assert places({"delivery.py": PYTHON}) == [("delivery.py:7", "Delivery.send", "syntax")]


def test_a_message_of_several_literals_is_found() -> None:
    """As formatters break long lines."""
    text = """
        def send(log):
            log.info(
                "Reply sent "
                "to the caller",
            )
    """
    assert places({"delivery.py": text}) == [("delivery.py:4", "send", "syntax")]


@pytest.mark.parametrize(
    "call",
    [
        'log.info("Session %s is gone after %d ms", session, ms)',
        'log.info(f"Session {session} is gone after {ms} ms")',
        'log.info("Session " + session + " is gone after " + str(ms) + " ms")',
        'log.info("Session {} is gone after "\n        "{} ms".format(session, ms))',
    ],
)
def test_values_inside_are_passed_over(call: str) -> None:
    """However the language puts them in."""
    assert places({"a.py": f"def end(session, ms):\n    {call}\n"}, GONE) == [("a.py:2", "end", "syntax")]


def test_parts_in_another_order_are_another_message() -> None:
    """All of them, and one behind the other."""
    assert places({"a.py": 'log.info("ms, is gone after Session ")\n'}, GONE) == []


GO = """
    package main

    // Reply sent to the caller
    func (d *Delivery) Send(log *zap.Logger) {
        log.Info("Reply sent to the caller", zap.Int("n", 1))
    }

    func main() {
        d.Send(nil)
    }
"""


def test_other_languages_are_known_by_text_and_say_so() -> None:
    """A Go method with its receiver's type, and its caller; no proof."""
    found = survey({"server/main.go": GO})
    (text,), (function,) = found.texts, found.functions

    assert [(p.ref, p.function, p.means) for p in text.places] == [
        ("server/main.go:6", "Delivery.Send", Means.TEXT)
    ]
    assert [(p.ref, p.function, p.means) for p in function.callers] == [
        ("server/main.go:10", "main", Means.TEXT)
    ]


def test_what_repeats_a_message_does_not_write_it() -> None:
    """Tests, documents, logs and data are counted, and named nowhere."""
    copies = {
        "tests/test_delivery.py": 'assert "Reply sent to the caller" in out\n',
        "delivery_test.go": 'want := "Reply sent to the caller"\n',
        "docs/lines.md": "`Reply sent to the caller`\n",
        "dashboard.json": '{"query": "Reply sent to the caller"}\n',
    }
    (alone,), (both,) = survey(copies).texts, survey({**copies, "delivery.py": PYTHON}).texts

    assert (alone.places, alone.others) == ((), 4)
    assert [place.ref for place in both.places] == ["delivery.py:7"]


def test_a_longer_message_is_not_this_one() -> None:
    """A text in quotation marks of its own comes before one inside of another."""
    files = {
        "a.py": 'log.info("Reply sent to the caller twice")\n',
        "b.py": 'log.info("Reply sent to the caller")\n',
    }
    assert places(files) == [("b.py:1", "", "syntax")]


def test_the_services_own_file_comes_first() -> None:
    """Where two services write the same."""
    line = 'log.info("Reply sent to the caller")\n'
    files = {"media_server/a.py": line, "v2/orchestrator/main.py": line, "vendor/x.py": line}

    assert places(files) == [("v2/orchestrator/main.py:1", "", "syntax")]
    assert {ref for ref, *_ in places({"one/a.py": line, "two/a.py": line})} == {"one/a.py:1", "two/a.py:1"}


def test_the_catalogue_has_the_last_word() -> None:
    """`code` names one of several places."""
    line = '    log.info("Reply sent to the caller")\n'
    files = {"a.py": f"def one():\n{line}\ndef two():\n{line}", "orchestrator/b.py": f"def one():\n{line}"}
    named = LogText(SENT.text, SENT.pieces, SENT.service, SENT.event, code="a.py:two")

    assert places(files, named) == [("a.py:5", "two", "syntax")]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("lines.toml", '[[message]]\nname = "reply-sent"\ntext = "Reply sent to the caller"\n\n[[message]]\nname = "other-one"\n'),
        ("lines.yaml", "- id: reply-sent\n  level: info\n  text: Reply sent to the caller\n"),
        ("lines.json", '{\n  "reply-sent": "Reply sent to the caller",\n  "other-one": "x"\n}\n'),
        ("lines.properties", "reply-sent=Reply sent to the caller\nother-one=x\n"),
    ],
)  # fmt: skip
def test_a_list_of_messages_is_followed_to_the_code(path: str, content: str) -> None:
    """The text is written where code calls it by its name."""
    code = 'def send(log):\n    log.write("reply-sent")\n    log.write("other-one")\n'
    (text,) = survey({path: content, "orchestrator/a.py": code}).texts

    assert [place.ref for place in text.places] == ["orchestrator/a.py:2"]
    assert text.key == "reply-sent"
    assert text.listed is not None
    assert text.listed.path == path


CALLS = {
    "app/delivery.py": """
        class Delivery:
            def send(self):
                log.info("Reply sent to the caller")

        class Other:
            def send(self):
                self.send()
    """,
    "tests/test_delivery.py": "from app.delivery import Delivery\nDelivery().send()\n",
}


@pytest.mark.parametrize(
    ("caller", "callers", "elsewhere"),
    [
        ("from app.delivery import Delivery\ndef turn():\n    Delivery().send()\n", ["app/turn.py:3"], []),
        ("from app import delivery\nhand_on(delivery.Delivery().send)\n", ["app/turn.py:2"], []),
        ("def turn(delivery):\n    delivery.send()\n", [], ["app/turn.py:2"]),
        ("def turn(send):\n    return send\n", [], []),
        ("# Delivery.send()\n", [], []),
    ],
)
def test_a_caller_is_one_that_something_ties_to_the_function(
    caller: str, callers: list[str], elsewhere: list[str]
) -> None:
    """What only has the name is shown apart, a test is counted, a namesake's own call is none."""
    (function,) = survey({**CALLS, "app/turn.py": caller}).functions

    assert function.name.text == "app/delivery.py:Delivery.send"
    assert [place.ref for place in function.callers] == callers
    assert [place.ref for place in function.elsewhere] == elsewhere
    assert function.from_tests == 1


DEAD = """
    package main

    func send(log *zap.Logger) {
        log.Info("Reply sent to the caller")
    }

    func retry(log *zap.Logger) {
        send(log)
    }

    func again(log *zap.Logger) {
        retry(log)
    }

    func main() {
        %s
    }
"""


@pytest.mark.parametrize(
    ("start", "unreached"), [("", True), ("again(nil)", False), ("go again(nil)", False)]
)
def test_what_only_dead_code_calls_is_unreached(start: str, unreached: bool) -> None:
    """However many calls lie between; one way from outside is enough."""
    (function,) = survey({"a.go": DEAD % start}).functions

    assert [place.ref for place in function.callers] == ["a.go:9"]
    assert function.unreached is unreached


def test_a_way_that_may_come_from_outside_is_a_way() -> None:
    """A decorator, a line of the module, a name that is used elsewhere; and without a caller nothing is said."""
    text = 'def send():\n    log.info("Reply sent to the caller")\n\n%sdef retry():\n    send()\n%s'
    reached = {
        "": True, "@app.get('/x')\n": False,
    }  # fmt: skip
    for decorator, unreached in reached.items():
        assert survey({"a.py": text % (decorator, "")}).functions[0].unreached is unreached
    assert not survey({"a.py": text % ("", "\nretry()\n")}).functions[0].unreached
    assert not survey({"a.py": text % ("", ""), "b.py": "def f(x):\n    x.retry()\n"}).functions[0].unreached
    assert not survey({"a.py": PYTHON}).functions[0].unreached


def test_what_calls_only_itself_has_no_caller() -> None:
    """And what a decorator hands on may be called from outside."""
    text = """
        def send():
            log.info("Reply sent to the caller")
            send()
    """
    assert survey({"a.py": text}).functions[0].callers == ()
    routed = survey({"a.py": text.replace("def send", "@app.post('/x')\n        def send")}).functions[0]
    assert "@app.post('/x')" in routed.called_outside


@pytest.mark.parametrize(
    "broken",
    [
        'log.info("Reply sent to the caller"\nclass (:\n',
        f'log.info("Reply sent to the caller")\nx = {"(" * 5000}\n',
        f'log.info("Reply sent to the caller")\nx = {"-" * 15000}1\n',
        f'log.info("Reply sent to the caller")\nx = 1{".a" * 9000}\n',
        f'log.info("Reply sent to the caller")\nx = {"[" * 90}{"]" * 90}{"+1" * 9000}\n',
        f'log.info("Reply sent to the caller")\n{"x" * 30000} = 1\n',
        "".join(" " * depth + "if x:\n" for depth in range(120)) + 'log.info("Reply sent to the caller")\n',
    ],
)
def test_python_that_does_not_parse_is_read_as_text_and_told(broken: str) -> None:
    """Whatever is in it, nothing falls over."""
    found = survey({"a.py": broken})
    (text,) = found.texts

    assert [place.path for place in text.places] == ["a.py"]
    assert text.places[0].means is (Means.TEXT if found.problems else Means.SYNTAX)


def test_many_long_messages_are_looked_for_without_a_word_on_stderr(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """An automaton that is too large would tell everybody so, and take minutes."""
    longs = [
        LogText(text, (text,), "x", "log") for n in range(2000) if (text := f"{n} is it " + f"word{n} " * 60)
    ]
    found = survey({"a.py": "".join(f'log.info("{one.text}")\n' for one in longs[:50])}, *longs)

    assert sum(bool(text.places) for text in found.texts) == 50
    assert capfd.readouterr().err == ""


def test_what_only_begins_alike_is_another_message() -> None:
    """However long they go together."""
    one, other = (LogText(f"{'word ' * 20}{end}", (f"{'word ' * 20}{end}",), "", "log") for end in "ab")
    first, second = survey({"a.py": f'log.info("{one.text}")\n'}, one, other).texts

    assert (len(first.places), len(second.places)) == (1, 0)


def test_a_line_of_code_is_cleaned_before_it_is_kept() -> None:
    """Code may hold secrets."""
    code = b'log.info("Reply sent to the caller", token="abc")\n'
    found = survey_code({"a.py": code}, [SENT], clean=lambda text: text.replace("abc", "<hidden>"))

    assert found.texts[0].places[0].text.endswith('token="<hidden>")')


def test_the_check_ends_the_work() -> None:
    """At a deadline, or Ctrl-C."""

    def check() -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        survey_code({"a.py": PYTHON.encode()}, [SENT], check=check)


def test_messages_become_texts_by_the_catalogue() -> None:
    """Fixed ones whole, varying ones in pieces, unknown ones without what looks like a value."""
    catalogue = load_catalogue()

    assert to_text("BroadcastToSession called", "orchestrator", catalogue).pieces == (
        "BroadcastToSession called",
    )
    starting = to_text("Server starting on :8080", "media-server", catalogue)
    assert (starting.text, starting.pieces) == ("Server starting on %s", ("Server starting on ",))
    unknown = to_text('cache "main" warmed in 35 ms', "x", catalogue)
    assert unknown.text == to_text('cache "other" warmed in 7 ms', "x", catalogue).text
    assert (unknown.event, unknown.pieces) == ("unknown", ("cache ", " warmed in ", " ms"))
    assert any(text.event == "ws.bind" for text in to_known_texts(catalogue, ["orchestrator"]))


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("func (s *Server) Serve(", "Server.Serve"),
        ("func (s Server[T]) Serve(", "Server.Serve"),
        ("func (*Server) Serve(", "Server.Serve"),
        ("func (Server) Serve(", "Server.Serve"),
        ("func (s*Server) Serve(", "Server.Serve"),
        ("func Serve[T any](", "Serve"),
    ],
)
def test_functions_of_go_have_their_receiver(head: str, name: str) -> None:
    """However it is written."""
    (found,) = outline_text("a.go", f"package a\n{head}) {{\n}}\n".encode()).functions

    assert (found.name, found.line) == (name, 2)


@pytest.mark.parametrize("letter", [b" ", b"a", b"*"])
def test_a_receiver_without_an_end_is_read_in_one_go(letter: bytes) -> None:
    """Who may write into a repository must not hold up its reader: trying every way would take days."""
    assert not outline_text("a.go", b"func (" + letter * 100_000).functions
