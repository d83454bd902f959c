"""Progress: a bar on a terminal, plain lines in a log, only warnings when standard output belongs to JSON."""

from __future__ import annotations

import io

from rich.console import Console

from ssl_domains.engine.record.events import (
    Estimated,
    Event,
    Finished,
    Measured,
    Refreshed,
    Started,
    Stepped,
    Stopped,
    Warned,
)
from ssl_domains.engine.record.progress import reporter

STORY: tuple[Event, ...] = (
    Started(40, 5, 20, 3, 1_500_000, "cpu", "float32", "batches by groups (few anchors [else])"),
    Estimated(12, 0.25, 200.0, 1_500_000_000),
    Stepped(4, 20, 0, 123.4, 0.25, None),
    Measured(
        {"step": 4, "loss": 1.23456, "images_per_s": 123.4, "data_wait": 0.25, "std": 0.3, "effective_rank": 5.0}
        | {"knn": 0.5, "knn_classes": 3}
    ),
    Warned("the embedding is collapsing"),
    Finished(20, 75.0),
)


def _tell(terminal: bool, quiet: bool = False, story: tuple[Event, ...] = STORY) -> str:
    text = io.StringIO()
    listen = reporter(quiet, Console(file=text, force_terminal=terminal, width=200))
    for event in story:
        listen(event)
    return text.getvalue()


def test_a_log_gets_plain_lines() -> None:
    lines = _tell(terminal=False).splitlines()
    assert lines[0].startswith("training on 40 samples: 20 steps of 5 an epoch, 1.50 M parameters, cpu, float32")
    assert "(few anchors [else])" in lines[0]
    assert lines[0].endswith("going on at step 3")
    assert lines[1] == (
        "estimate: about 3 min 20 s for the 12 steps left, at 0.25 s a step; peak memory so far 1.50 GB"
    )
    assert lines[2] == "step 4 · loss 1.235 · 123 samples/s · waiting for data 25 % · std 0.300 · rank 5.0" + (
        " · k-NN 0.500 (chance 0.33)"
    )
    assert lines[3] == "warning: the embedding is collapsing"
    assert lines[4] == "done: 20 steps in 1 min 15 s"
    assert "\x1b" not in _tell(terminal=False)


def test_a_refresh_says_what_it_takes() -> None:
    lines = _tell(terminal=False, story=(*STORY[:1], Refreshed(3, ("mined",), 12.4, 0.256), Stopped(4))).splitlines()
    assert "epoch 3 · computed anew: mined · 12 s, 26 % of the time so far" in lines


def test_what_the_preprocess_was_fitted_to_is_said_at_the_start() -> None:
    clips = ("clip of a.sgy: ±2", "clip of b.sgy: ±3000")
    for terminal in (False, True):
        shown = _tell(terminal, story=(Started(40, 5, 20, 0, 1, "cpu", "float32", "batches", clips), Stopped(0)))
        assert [line for line in shown.splitlines() if line.startswith("clip of")] == list(clips)


def test_lines_of_a_log_say_how_much_time_is_left() -> None:
    """10 s pass between two events that ask the clock; the first step doesn't count."""
    text, times = io.StringIO(), iter(range(0, 1000, 10))
    listen = reporter(False, Console(file=text, width=200), clock=lambda: float(next(times)))
    listen(Started(40, 5, 20, 0, 1, "cpu", "float32", "batches by groups"))
    values = {"loss": 1.0, "images_per_s": 1.0, "data_wait": 0.0, "std": 0.3, "effective_rank": 5.0}
    for step in (1, 6, 11, 20):
        listen(Measured({"step": step, **values}))
    ends = [line.rpartition(" · ")[2] for line in text.getvalue().splitlines()[1:]]
    assert ends == ["rank 5.0", "28 s left", "18 s left", "rank 5.0"]


def test_a_terminal_gets_a_bar_with_speed_and_waiting() -> None:
    shown = _tell(terminal=True)
    assert "samples/s" in shown
    assert "waiting for data 25%" in shown
    assert "4/20" in shown
    assert "warning: the embedding is collapsing" in shown


def test_a_run_that_stops_gives_the_cursor_back() -> None:
    show_cursor = "\x1b[?25h"
    assert show_cursor not in _tell(terminal=True, story=STORY[:2])
    assert show_cursor in _tell(terminal=True, story=(*STORY[:2], Stopped(4)))


def test_quiet_says_nothing_but_warnings() -> None:
    assert _tell(terminal=True, quiet=True) == "warning: the embedding is collapsing\n"
