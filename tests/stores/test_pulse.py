"""Signs of life: what is worked on keeps having them, whatever goes wrong with one."""

from __future__ import annotations

import time

import pytest

from privacy_api.stores import pulse
from privacy_api.stores.pulse import LEAST, Pulse


def test_a_beat_that_fails_is_not_the_last() -> None:
    beats: list[frozenset[int]] = []

    def beat(kept: frozenset[int]) -> None:
        beats.append(kept)
        if len(beats) == 1:
            raise OSError

    with Pulse(beat, LEAST).keeping(7):
        deadline = time.monotonic() + 5
        while len(beats) < 3 and time.monotonic() < deadline:
            time.sleep(LEAST)
    assert beats[:3] == [frozenset({7})] * 3


def test_where_no_thread_could_be_started_the_next_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    beats: list[frozenset[int]] = []
    heart = Pulse(beats.append, LEAST)

    def none(*_: object, **__: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as full:
        full.setattr(pulse, "Thread", none)
        with pytest.raises(RuntimeError), heart.keeping(1):
            pytest.fail("works on it without a sign of life")
    with heart.keeping(2):
        deadline = time.monotonic() + 5
        while not beats and time.monotonic() < deadline:
            time.sleep(LEAST)
    assert beats[:1] == [frozenset({2})]
