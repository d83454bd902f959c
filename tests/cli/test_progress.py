"""Progress of long work: a bar with the time left, a few lines in a log, nothing with --json."""

from __future__ import annotations

import io

import pytest

from ssl_domains.cli.console import answering
from ssl_domains.cli.progress import showing_progress, silent
from ssl_domains.durations import duration


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Clock:
    """Each call is later by one step."""

    def __init__(self, step: float) -> None:
        self.step, self.now = step, 0.0

    def __call__(self) -> float:
        self.now += self.step
        return self.now


def work(stream: io.StringIO, clock: Clock, total: int, what: str = "decoding") -> str:
    with showing_progress(stream, clock) as progress:
        for done in range(1, total + 1):
            progress(what, done, total)
    return stream.getvalue()


def test_a_terminal_gets_a_bar_with_the_time_left_and_an_empty_line_at_the_end() -> None:
    frames = work(Terminal(), Clock(2.0), 1500).split("\r")
    # 2 s each: after 500 of 1,500 there are 2,000 s left.
    assert any(frame.startswith("decoding ████████░") and "500/1,500 · 33 min 20 s left" in frame for frame in frames)
    assert "1,500/1,500" in "".join(frames)
    assert frames[-1] == ""
    assert frames[-2].strip() == ""


def test_the_bar_is_drawn_at_most_ten_times_a_second() -> None:
    assert work(Terminal(), Clock(0.001), 1000).count("decoding") <= 12


def test_a_log_gets_few_lines_with_share_and_time_left() -> None:
    lines = work(io.StringIO(), Clock(1.0), 3600).splitlines()
    assert lines[0] == "decoding: 11 of 3,600 · 0 % · 59 min 49 s left"
    assert 8 < len(lines) < 20
    assert all(line.startswith("decoding: ") and line.endswith("left") for line in lines)


def test_short_work_leaves_no_line_in_a_log() -> None:
    assert work(io.StringIO(), Clock(0.01), 100) == ""


def test_files_that_a_restart_passes_over_do_not_count_for_the_time_left() -> None:
    out, clock = Terminal(), Clock(0.11)
    with showing_progress(out, clock) as progress:
        progress("reading", 1000, 2000)  # known from the journal
        for done in range(1001, 1101):
            progress("reading", done, 2000)
    assert "1,100/2,000 · 1 min 39 s left" in out.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["log", "terminal"])
def test_json_and_silent_blocks_show_nothing(stream: io.StringIO) -> None:
    with answering(as_json=True):
        assert work(stream, Clock(60.0), 100) == ""
    with silent():
        assert work(stream, Clock(60.0), 100) == ""
    with answering():
        assert work(stream, Clock(60.0), 100) != ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (-1, "0 s")],
)
def test_durations_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_scan_and_training_report_their_progress(samples, cli, tmp_path, monkeypatch) -> None:
    """Each long piece of work hands its own name and counts to the one helper."""
    import contextlib

    seen: dict[str, list[tuple[int, int]]] = {}

    @contextlib.contextmanager
    def recording():
        yield lambda what, done, total: seen.setdefault(what, []).append((done, total))

    for module in ("work.tables", "work.probe", "commands.scan", "commands.embed"):
        monkeypatch.setattr(f"ssl_domains.cli.{module}.showing_progress", recording, raising=False)
    monkeypatch.setattr("ssl_domains.cli.progress.showing_progress", recording)
    run = tmp_path / "run"
    small = ("--set", "train.epochs=1", "--set", "train.batch_size=12")
    assert cli("toy", "pretrain", samples, "--out", run, "--pairs", "patient", *small).code == 0
    assert cli("toy", "probe", run, "--label", "kind").code == 0
    (run / "embeddings.parquet").unlink()  # else its rows are taken from it
    assert cli("toy", "embed", run, samples, "-o", tmp_path / "e.parquet").code == 0
    assert seen["decoding"][-1] == (48, 48)
    assert seen["embedding"][-1] == (48, 48)
    assert seen["embedding by frozen encoder"][-1] == (48, 48)
    assert seen["fitting probes on frozen encoder"] == [(1, 2), (2, 2)]
    assert all(done <= total for counts in seen.values() for done, total in counts)


def test_a_long_line_is_cut_to_the_width_of_the_terminal_and_keeps_the_time_left() -> None:
    frames = work(Terminal(), Clock(2.0), 1500, what="fitting probes on " + "a long name of an arm " * 5).split("\r")
    assert max(len(frame) for frame in frames) == 79
    assert any(frame.startswith("…") and frame.rstrip().endswith("33 min 20 s left") for frame in frames)
