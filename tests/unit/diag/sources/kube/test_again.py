"""What passes is asked again, a few times and not for long."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from diag.sources.kube.again import PassingError, ask_patiently, read_wait


class World:
    """A clock that only waiting moves on, and a server that gives `answers`, the last one for ever."""

    def __init__(self, *answers: str | Exception, each_s: float = 0.0) -> None:
        self.answers = list(answers)
        self.now, self.each_s = 100.0, each_s
        self.asked, self.waited = 0, list[float]()

    def ask(self) -> str:
        self.asked += 1
        self.now += self.each_s
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds

    def get(self, within_s: float = 10.0) -> str:
        return ask_patiently(self.ask, within_s, clock=lambda: self.now, sleep=self.sleep)


def busy(wait_s: float = 0.0) -> PassingError:
    return PassingError(ValueError("busy"), wait_s)


def test_an_answer_costs_one_question() -> None:
    """And no time."""
    world = World("yes")

    assert (world.get(), world.asked, world.waited) == ("yes", 1, [])


def test_what_passes_is_asked_again_and_no_more_than_three_times() -> None:
    """With a longer pause before each; then the failure is told as what it is."""
    passes, stays = World(busy(), busy(), "yes"), World(busy())

    assert (passes.get(), passes.asked) == ("yes", 3)
    with pytest.raises(ValueError, match="busy"):
        stays.get()
    assert stays.asked == 3
    assert stays.waited == sorted(stays.waited)


def test_any_other_failure_is_told_at_once() -> None:
    """A right that is missing will not be there in a second."""
    world = World(KeyError("403"))

    with pytest.raises(KeyError):
        world.get()
    assert world.asked == 1


def test_the_server_says_how_long_to_wait() -> None:
    """As long as it asks for, but not less than we do."""
    world = World(busy(3.0), busy(0.01), "yes")

    assert world.get() == "yes"
    assert world.waited[0] == 3.0
    assert world.waited[1] > 0.01


@pytest.mark.parametrize("make", [lambda: World(busy(60.0)), lambda: World(busy(), each_s=11.0)])
def test_nothing_is_asked_beyond_the_time(make: Callable[[], World]) -> None:
    """Whether the server asks for it or has taken it: it is told at once, and nobody waits in vain."""
    world = make()

    with pytest.raises(ValueError, match="busy"):
        world.get(within_s=10.0)
    assert (world.asked, world.waited) == (1, [])


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("1", 1.0), (" 30 ", 30.0), ("", 0.0), ("-1", 0.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("٣", 0.0)],
)
def test_the_head_of_an_answer_may_say_anything(said: str, seconds: float) -> None:
    """Seconds are read, and nothing else."""
    assert read_wait({"Retry-After": said}) == seconds
