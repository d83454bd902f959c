"""The loop on real parts: what it writes, what it refuses, and that nothing around it changes the weights."""

from __future__ import annotations

import dataclasses
import errno
import json
import random
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import small_run
from ssl_domains.engine import Rehearsal, Run, load_config, plan_pairs
from ssl_domains.engine.processes.generators import generator_states
from ssl_domains.engine.record.events import Event, Finished, Measured, Saved, Started, Stepped
from ssl_domains.errors import DataError, ResourceError, SslDomainsError, UsageError
from ssl_domains.pairs import Composition, parse
from ssl_domains.samples import SampleTable

SHORT = ("train.max_steps=3",)


def _equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_the_run_folder_holds_what_reproduces_it(left_alone: Run) -> None:
    run = Run.open(left_alone.folder)
    assert run.step == small_run.TOTAL_STEPS
    assert (run.config.pairs.rule, run.config.encoder.in_chans) == ("same('patient')", 1)
    assert run.preprocess.in_chans == 1
    assert [step["name"] for step in run.recipe["steps"]][-1] == "noise"
    assert run.fitted == {}
    assert run.data_fingerprint["rows"] == 40
    assert run.data_fingerprint["split"] == {"train": 40}
    assert list(run.data_fingerprint["columns"]) == ["patient"]
    assert len(run.training_samples) == 40
    assert run.pairs
    assert run.environment["versions"]["torch"] == torch.__version__


def test_a_run_folder_names_no_user_host_or_path(left_alone: Run) -> None:
    import getpass
    import socket

    environment = (left_alone.folder / "environment.json").read_text()
    assert socket.gethostname() not in environment
    assert str(Path.home()) not in environment
    assert f'"{getpass.getuser()}"' not in environment


def test_metrics_are_measured_on_the_cadence(left_alone: Run) -> None:
    metrics = left_alone.metrics()
    assert [values["step"] for values in metrics] == [1, 4, 8, 12, 16, 20]
    last = metrics[-1]
    assert last["epoch"] == 4
    assert set(last["per_relation"]) == set(last["no_cross_positive"]) == {"same('patient')"}
    for name in ("loss", "std", "effective_rank", "alignment", "uniformity", "images_per_s", "lr", "temperature"):
        assert np.isfinite(last[name]), name
    assert 0 <= last["data_wait"] <= 1
    assert metrics[0]["knn"] is None  # nothing to look among yet
    assert 0 <= last["knn"] <= 1


def test_the_loss_falls(left_alone: Run) -> None:
    metrics = left_alone.metrics()
    assert metrics[-1]["loss"] < metrics[0]["loss"]


def test_workers_and_history_of_the_process_do_not_change_the_weights(
    train: Callable[..., Any], tmp_path: Path
) -> None:
    first = small_run.weights(train(tmp_path / "a", SHORT))
    random.random(), np.random.rand(7), torch.rand(5)  # noqa: NPY002
    second = small_run.weights(train(tmp_path / "b", (*SHORT, "data.workers=2", "data.cache_gb=0.0")))
    assert _equal(first, second)
    assert not _equal(first, small_run.weights(train(tmp_path / "c", (*SHORT, "train.seed=1"))))


def test_the_process_gets_its_generators_back(train: Callable[..., Any], tmp_path: Path) -> None:
    before = generator_states()
    train(tmp_path / "a", SHORT)
    after = generator_states()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert not torch.are_deterministic_algorithms_enabled()


def test_no_epochs_keep_the_initial_weights(train: Callable[..., Any], tmp_path: Path) -> None:
    run = train(tmp_path / "random", ("train.epochs=0",))
    assert run.step == 0
    assert run.metrics() == []
    untrained = run.untrained_encoder().state_dict()
    assert _equal(run.encoder().state_dict(), untrained)
    trained = train(tmp_path / "trained", SHORT).encoder().state_dict()
    assert not _equal(trained, untrained)


def test_max_steps_cap_the_epochs(train: Callable[..., Any], tmp_path: Path) -> None:
    run = train(tmp_path / "run", ("train.max_steps=7",))
    assert run.step == 7
    assert run.metrics()[-1]["epoch"] == pytest.approx(7 / 5)


@pytest.mark.parametrize(
    "sets",
    [
        ("train.optimizer=sgd", "train.clip_norm=1.0"),
        ("train.optimizer=lars", "train.lr=0.1"),
        ("train.precision=bfloat16",),
        ("train.channels_last=false", "pairs.relations=none"),
        ("pairs.shuffle_metadata=3", "views.canvas=fit"),
    ],
)
def test_other_ways_to_train(train: Callable[..., Any], tmp_path: Path, sets: tuple[str, ...]) -> None:
    assert np.isfinite(train(tmp_path / "run", (*SHORT, *sets)).metrics()[-1]["loss"])


def test_relations_none_scores_own_views_only(train: Callable[..., Any], tmp_path: Path) -> None:
    run = train(tmp_path / "run", (*SHORT, "pairs.relations=none"))
    assert run.metrics()[-1]["no_cross_positive"] == {"none": 1.0}


def test_shuffled_metadata_is_another_binding_of_the_same_table(train: Callable[..., Any], tmp_path: Path) -> None:
    plain, shuffled = train(tmp_path / "a", SHORT), train(tmp_path / "b", (*SHORT, "pairs.shuffle_metadata=1"))
    assert plain.data_fingerprint == shuffled.data_fingerprint
    assert not _equal(plain.encoder_state(), shuffled.encoder_state())


def test_shuffled_metadata_permutes_the_edges_of_samples_too(tmp_path: Path) -> None:
    names = [f"s{i:02d}" for i in range(20)]
    edges = tmp_path / "edges.csv"
    edges.write_text("a,b\n" + "\n".join(f"{a},{b}" for a, b in zip(names[::2], names[1::2], strict=True)))
    table = SampleTable.of({"sample": names, "p": list(range(20))})
    rule = parse(f"linked({str(edges)!r})")

    def linked(*sets: str) -> np.ndarray:
        config = load_config(sets=["train.batch_size=4", *sets])
        bound = plan_pairs(config, table, rule, Composition("random")).composed_by
        return bound.relations[0].rule.matches(np.arange(20), np.arange(20))

    plain, shuffled = linked(), linked("pairs.shuffle_metadata=3")
    order = np.random.default_rng(3).permutation(20)
    assert plain.sum() == 20
    assert (shuffled == plain[np.ix_(order, order)]).all()
    assert (shuffled != plain).any()


def test_fitted_edges_are_kept(train: Callable[..., Any], tmp_path: Path) -> None:
    run = train(tmp_path / "run", SHORT, rule="same(bins('age', 3))")
    (edges,) = run.fitted.values()
    assert edges == pytest.approx([20, 23, 26, 29])


def test_events_tell_the_story_in_order(train: Callable[..., Any], tmp_path: Path) -> None:
    events: list[Event] = []
    train(tmp_path / "run", SHORT, on_event=events.append)
    assert [type(event) for event in events] == [
        Started, Saved, Stepped, Measured, Stepped, Stepped, Measured, Saved, Finished,
    ]  # fmt: skip
    started = events[0]
    assert isinstance(started, Started)
    assert (started.samples, started.steps_per_epoch, started.total_steps) == (40, 5, 3)


def test_it_trains_outside_the_main_thread(train: Callable[..., Any], tmp_path: Path) -> None:
    done: list[Run] = []
    thread = threading.Thread(target=lambda: done.append(train(tmp_path / "run", SHORT)))
    thread.start()
    thread.join()
    assert done[0].step == 3


def test_a_dry_run_tells_and_writes_nothing(train: Callable[..., Any], tmp_path: Path) -> None:
    found = train(tmp_path / "run", dry_run=True)
    assert isinstance(found, Rehearsal)
    assert not (tmp_path / "run").exists()
    assert (found.samples, found.steps_per_epoch, found.total_steps, found.device) == (40, 5, 20, "cpu")
    assert found.estimated_seconds == pytest.approx(20 * found.seconds_per_step)
    assert found.peak_memory_bytes > 50e6
    assert found.composition
    json.dumps(found.to_dict())


@pytest.mark.parametrize(
    ("sets", "options", "kind", "message"),
    [
        (("train.batch_size=41",), {}, UsageError, "only 40 training samples"),
        (("train.device=cuda:7",), {}, UsageError, "cuda:7"),
        (("train.device=mps",), {}, UsageError, "isn't supported"),
        (("train.device=toaster",), {}, UsageError, "no device"),
        (("health.label=sight",), {}, UsageError, "no column 'sight'"),
        ((), {"rule": "same('patiant')"}, UsageError, "patiant"),
        (("encoder.init=nowhere.pt",), {}, UsageError, "neither a file nor a run"),
        ((), {"rule": "same('path')"}, DataError, None),  # all unique: this equals SimCLR
        ((), {"rule": "same('split')"}, DataError, None),  # constant: matches all pairs
    ],
)
def test_what_is_wrong_is_told_before_anything_is_written(
    train: Callable[..., Any],
    tmp_path: Path,
    sets: tuple[str, ...],
    options: dict[str, Any],
    kind: type[SslDomainsError],
    message: str | None,
) -> None:
    with pytest.raises(kind, match=message) as caught:
        train(tmp_path / "run", sets, **options)
    assert caught.value.hint
    assert "\n" not in caught.value.message
    assert not (tmp_path / "run").exists()


def test_processes_that_cannot_find_one_another_are_told_of_torchrun(
    train: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="can't find one another") as caught:
        train(tmp_path / "run")
    assert "torchrun" in caught.value.hint
    assert not (tmp_path / "run").exists()


def test_an_infinite_loss_ends_the_run_and_keeps_no_such_weights(train: Callable[..., Any], tmp_path: Path) -> None:
    class Broken(small_run.DropoutSimCLR):
        steps = 0

        def after_step(self, out: Any, progress: float) -> None:
            if self.steps == 1:
                with torch.no_grad():
                    self.head[1][0].weight.fill_(float("nan"))
            self.steps += 1

    with pytest.raises(DataError, match="not a finite number by step 3"):
        train(tmp_path / "run", method=Broken)
    assert Run.open(tmp_path / "run").step == 0


def test_out_of_memory_is_a_resource_error(train: Callable[..., Any], tmp_path: Path) -> None:
    class Greedy(small_run.DropoutSimCLR):
        @classmethod
        def build(cls, encoder: Any, options: Any) -> Any:
            torch.empty(10**15)
            return super().build(encoder, options)

    with pytest.raises(ResourceError, match="out of memory") as caught:
        train(tmp_path / "run", method=Greedy)
    assert "train.batch_size" in caught.value.hint


def test_a_full_disk_is_a_resource_error(
    train: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ssl_domains.engine.record.trackers.MetricsFile.log", no_space)
    with pytest.raises(ResourceError, match="disk is full"):
        train(tmp_path / "run", SHORT)


def test_a_damaged_run_folder_says_so(left_alone: Run, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        Run.open(tmp_path)
    shutil.copytree(left_alone.folder, tmp_path / "run")
    (tmp_path / "run" / "preprocess.json").write_text("{")
    (tmp_path / "run" / "training_samples.parquet").unlink()
    run = Run.open(tmp_path / "run")
    with pytest.raises(DataError, match=r"preprocess\.json"):
        _ = run.preprocess
    with pytest.raises(DataError, match="training_samples"):
        _ = run.training_samples


@pytest.mark.parametrize("ids", [[1, 2], ["a", None], [1e308], [["a"]]])
def test_training_ids_that_are_no_text_are_damage(left_alone: Run, tmp_path: Path, ids: list[Any]) -> None:
    shutil.copytree(left_alone.folder, tmp_path / "run")
    pl.DataFrame({"sample": ids}).write_parquet(tmp_path / "run" / "training_samples.parquet")
    with pytest.raises(DataError, match="training_samples"):
        _ = Run.open(tmp_path / "run").training_samples


def test_an_empty_window_in_a_run_is_damage(left_alone: Run, tmp_path: Path) -> None:
    shutil.copytree(left_alone.folder, tmp_path / "run")
    path = tmp_path / "run" / "preprocess.json"
    stored = json.loads(path.read_text())
    stored["scaling"]["windows"] = {"": [1.0, 1.0]}
    path.write_text(json.dumps(stored))
    with pytest.raises(DataError, match=r"preprocess\.json.* is empty"):
        _ = Run.open(tmp_path / "run").preprocess


def test_the_ids_of_the_training_rows_are_readable_by_name(left_alone: Run) -> None:
    frame = pl.read_parquet(left_alone.folder / "training_samples.parquet")
    assert frame.columns == ["sample", "file"]
    assert frame["file"].str.contains("^[0-9a-f]{16}$").all(), "a hash, no path of the user"


class _Tilt:
    """A view step that tells how far it went, and does nothing to the picture."""

    name, reason, columns = "tilt", "a number that only the view knows", ()

    def parameters(self, draws: Any, size: int) -> dict[str, torch.Tensor]:
        return {"tilt": draws.between(0.0, 10.0)}

    def emits(self, parameters: Any, columns: Any) -> dict[str, torch.Tensor]:
        return {"tilt": parameters["tilt"]}

    def device(self, images: Any, mask: Any, parameters: Any, columns: Any) -> Any:
        return images, mask

    def cpu(self, image: Any, parameters: Any, columns: Any) -> Any:
        return image

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "reason": self.reason}


def test_a_rule_may_read_what_the_views_emit(train: Callable[..., Any], tmp_path: Path) -> None:
    plain = small_run.make_recipe()
    recipe = dataclasses.replace(plain, steps=(*plain.steps, _Tilt()))
    rule = "same(bins('tilt', 2, range=(0, 10))) & same('patient')"
    shares = train(tmp_path / "run", SHORT, rule=rule, recipe=recipe).metrics()[-1]["no_cross_positive"]
    (share,) = shares.values()
    # The other sample of the patient has two views, each in the anchor's half of the range with probability 1/2.
    assert 0 < share < 0.8


def test_the_encoder_is_compiled_when_asked(
    train: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[str] = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda self: compiled.append(type(self).__name__))
    train(tmp_path / "a", SHORT)
    assert compiled == []
    train(tmp_path / "b", (*SHORT, "train.compile=true"))
    assert compiled == ["TimmEncoder"]


def test_resuming_with_other_views_is_refused(train: Callable[..., Any], tmp_path: Path) -> None:
    out = tmp_path / "run"
    train(out, ("train.max_steps=3",))
    recipe = json.loads((out / "recipe.json").read_text())
    del recipe["outside"]
    (out / "recipe.json").write_text(json.dumps(recipe))
    with pytest.raises(UsageError, match="the views are not those that the run to resume was started with"):
        train(out, ("train.max_steps=3",), resume=True)
