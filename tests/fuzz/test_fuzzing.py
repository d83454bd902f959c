"""The fuzzing itself: what counts as a fault, what limits a process, and that a seed makes the same damage again."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest

from fuzzing.kind import Command, Kind, Plan
from fuzzing.mutations import damaged, frame, picture, raw, text, tree
from fuzzing.outcome import Outcome, Step, judge
from fuzzing.record import Record, summary

GOOD = Step("scan", 0, (0,))


@pytest.mark.parametrize(
    ("status", "steps", "text", "fault"),
    [
        (0, [GOOD], "3 samples", ""),
        (0, [Step("scan", 4, (0, 2, 4))], "error: nothing", ""),
        (0, [Step("scan", 1, (0,))], "bug: KeyError: 'x'", "exit 1: bug: KeyError: 'x' [scan]"),
        (0, [GOOD], "Traceback (most recent call last):\n  …", "traceback: "),
        (0, [Step("scan", 4, (0,))], "error: nothing\nhint: x", "exit 4, allowed 0: error: nothing [scan]"),
        (0, [Step("scan", 5, (0, 2, 4))], "error: out of memory", "over memory: exit 5"),
        (0, [GOOD], "1  reading it asks for more memory than there is", "over memory: 1  reading"),
        (0, [Step("scan", 0, (0,), ("in/good.dcm",))], "", "not read: in/good.dcm [scan]"),
        (signal.SIGXCPU, [], "", "time-out: more than 20 s of processor time"),
        (signal.SIGALRM, [], "", "time-out: more than 120 s"),
        (signal.SIGSEGV, [], "", "killed by SIGSEGV"),
    ],
)
def test_faults(status: int, steps: list[Step], text: str, fault: str) -> None:
    judged = judge(status, steps, "", text)
    assert judged.startswith(fault) if fault else judged == ""


def test_a_command_that_ends_the_process_is_a_fault() -> None:
    assert judge(0, [], "scan", "") == "ended without an exit code: no output [scan]"


def test_memory_may_run_out_where_settings_ask_for_it() -> None:
    assert judge(0, [Step("pretrain", 5, (0, 5))], "", "error: out of memory: can't allocate memory") == ""


def limited(program: str) -> int:
    lines = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom fuzzing import child\n{program}"
    return subprocess.run([sys.executable, "-c", lines], check=False, capture_output=True).returncode


def test_a_process_gets_two_gigabytes() -> None:
    assert limited("child.limit(); bytearray(1_000_000_000)") == 0
    assert limited("child.limit(); bytearray(2_100_000_000)") == 1


def test_a_process_that_does_not_end_is_ended() -> None:
    assert limited("child.CPU_SECONDS = 1; child.limit()\nwhile True: pass") == -signal.SIGXCPU


@pytest.mark.parametrize("mutation", [*raw.RAW, *text.TEXT], ids=lambda mutation: mutation.__name__)
def test_a_seed_makes_the_same_damage_again(mutation) -> None:
    data = b"first = 12.5, 7\nsecond = word other\nthird line\n" * 20
    made = {seed: mutation(data, Random(seed)) for seed in range(20)}
    assert made == {seed: mutation(data, Random(seed)) for seed in range(20)}
    assert any(after != data for after in made.values())


def test_trees_stay_json() -> None:

    for seed in range(50):
        json.loads(tree.json_tree(b'{"a": [1, 2.5, "x"], "b": {"c": null}}', Random(seed)))


@pytest.mark.parametrize("levels", [300, 900, 5000])
def test_a_tree_that_is_too_deep_is_not_damaged(levels: int) -> None:
    deep = b"[" * levels + b"]" * levels
    for seed in range(20):
        try:
            json.loads(tree.json_tree(deep, Random(seed)))
        except ValueError:
            assert levels > 300


def test_numbers_beyond_floats_end_no_fuzzing() -> None:
    for seed in range(200):
        with suppress(ValueError):
            json.loads(tree.json_tree(b'{"a": 1' + b"0" * 400 + b"}", Random(seed)))


def test_trees_stay_toml() -> None:
    import tomllib

    made = 0
    for seed in range(50):
        try:
            after = tree.toml_tree(b'a = [1, 2]\n[b]\nc = "x"\n', Random(seed))
        except ValueError:  # nested deeper than the writer goes
            continue
        tomllib.loads(after.decode())
        made += 1
    assert made > 40


def test_a_damaged_png_has_right_checksums(tmp_path: Path) -> None:
    import zlib

    from PIL import Image

    Image.new("RGB", (5, 4)).save(tmp_path / "a.png")
    data = (tmp_path / "a.png").read_bytes()
    for seed in range(20):
        after = picture.png_header(data, Random(seed))
        assert int.from_bytes(after[29:33], "big") == zlib.crc32(after[12:29])


def test_a_table_keeps_its_format() -> None:
    import io

    import polars as pl

    table, made = pl.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]}), io.BytesIO()
    table.write_parquet(made)
    for seed in range(40):
        assert isinstance(pl.read_parquet(io.BytesIO(frame.parquet_frame(made.getvalue(), Random(seed)))), pl.DataFrame)


def test_only_targets_are_damaged(tmp_path: Path) -> None:
    kind = Kind("x", lambda *_: None, ("in/target*",), raw.RAW, (Plan((Command("scan"),)),), whole=True)
    (tmp_path / "in").mkdir()
    for seed in range(60):
        for name in ("good", "target-a", "target-b"):
            path = tmp_path / "in" / name
            if path.is_dir():
                path.rmdir()
            path.write_bytes(name.encode() * 9)
        before = {path: path.read_bytes() for path in (tmp_path / "in").iterdir()}
        assert damaged(kind, tmp_path, Random(seed)).startswith("in/target-")
        after = {path: path.read_bytes() if path.is_file() else None for path in before}
        assert after[tmp_path / "in" / "good"] == b"good" * 9
        assert after != before


def test_a_stopped_run_goes_on_where_it_was(tmp_path: Path) -> None:
    one = Outcome("csv", 3, "samples", "target.csv: noise", ("scan",), (1,), "exit 1: bug: x [scan]", 0.5)
    Record(tmp_path).add(one)
    Record(tmp_path, 1).add(Outcome("csv", -1, "samples", "", ("scan",), (0,), "", 0.1))
    with (tmp_path / "outcomes-0.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"kind": "csv", "se')  # cut off by a kill
    found = Record(tmp_path).outcomes()
    assert sorted((outcome.kind, outcome.seed) for outcome in found) == [("csv", -1), ("csv", 3)]
    shown = summary(found, ["csv"])
    assert "csv --seed 3 (samples, target.csv: noise)\n  exit 1: bug: x [scan]" in shown
    assert shown.endswith("1 faults")


def test_results_of_other_sources_are_not_gone_on_with(tmp_path: Path) -> None:
    (tmp_path / "outcomes-0.jsonl").write_text('of other sources\n{"kind": "csv"}\n', encoding="utf-8")
    assert Record(tmp_path).outcomes() == []
