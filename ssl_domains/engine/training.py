"""The training loop: from a table, a store and a rule to a run folder, killable and resumable at any moment."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ssl_domains.engine.assembly import Assembled, Parts, assemble, resolve_config
from ssl_domains.engine.checkpoint import Checkpoints, refuse_other_config
from ssl_domains.engine.config import RunConfig
from ssl_domains.engine.determinism import same_bits
from ssl_domains.engine.events import Event, Finished, Listener, Saved, Started, Stopped
from ssl_domains.engine.exhaustion import exhaustion_as_resource_error
from ssl_domains.engine.generators import generator_states, restore_generators, seeded
from ssl_domains.engine.interruption import Interruption
from ssl_domains.engine.monitor import Monitor
from ssl_domains.engine.precision import resolve_device
from ssl_domains.engine.provenance import data_fingerprint, environment
from ssl_domains.engine.run import Run
from ssl_domains.engine.trackers import MetricsFile, Tracker, create_trackers
from ssl_domains.errors import DataError
from ssl_domains.views import Preprocess

__all__ = ["pretrain"]

# A checkpoint each epoch, but not more often than this: on a small table it would cost more than the training.
_FEWEST_STEPS_BETWEEN_CHECKPOINTS = 50


def pretrain(
    config: RunConfig,
    parts: Parts,
    out: str | Path,
    *,
    resume: bool = False,
    on_event: Listener | None = None,
    nuisance: Sequence[str] = (),
) -> Run:
    """Pre-train an encoder.

    On a CPU the same configuration gives the same weights bit for bit, whatever ran before in the process, however many
    workers read, and wherever the run was killed and resumed. The process's own random generators are left alone.

    Args:
        config: The configuration; ``pairs.rule``, its composition, ``views.size`` and ``views.n`` are taken from what
            follows, and recorded.
        parts: The training rows, their arrays, the rule, its batches, the views and the method.
        out: The run folder.
        resume: Go on with the run in ``out``.
        on_event: Told of every step, measurement, warning and checkpoint.
        nuisance: Columns that shouldn't explain the pairs; reported in ``pairs.json``.

    Raises:
        UsageError: When ``out`` holds a run and ``resume`` isn't asked for, there is nothing to resume, or the
            checkpoint was made with another configuration.
        DataError: When the pairs must not be trained on, a checkpoint can't be read, the samples aren't those of the
            run that is resumed, or the loss is not a finite number.
        ResourceError: When disk or memory run out.
        KeyboardInterrupt: After Ctrl-C, with a checkpoint of the step that was under way.
    """
    run = Run(Path(out))
    Run.require_resumable(run.folder) if resume else Run.require_new(run.folder)
    with ExitStack() as stack:
        stack.enter_context(exhaustion_as_resource_error())
        config = resolve_config(config, parts)
        stack.enter_context(seeded(config.train.seed))
        stack.enter_context(same_bits(resolve_device(config.train.device)))
        fingerprint = data_fingerprint(parts.table, parts.objective.columns)
        checkpoints = Checkpoints(run.folder / "checkpoints", config.train.keep)
        if resume:
            saved = checkpoints.load()
            refuse_other_config(saved["config"], config)
            assembled = _reassemble(config, parts, fingerprint, saved)
            step = int(saved["step"])
        else:
            assembled = assemble(config, parts)
            step = 0
            report = assembled.plan.inspect(config.health.label, nuisance)
            report.check()
            _write_origin(run, assembled, parts, fingerprint, report.to_dict())
        run.write_json("environment.json", environment(assembled.device, assembled.step.precision))
        # Last of the small files, as this is what makes a folder a run.
        run.write_text("config.toml", assembled.config.to_toml())
        _Training(run, checkpoints, assembled, parts, fingerprint, on_event or _silence).go_on(step)
    return Run.open(run.folder)


def _reassemble(config: RunConfig, parts: Parts, fingerprint: Mapping[str, Any], saved: Mapping[str, Any]) -> Assembled:
    # Before anything is bound or decoded: other rows would fail in less telling ways.
    if json.loads(saved["data"]) != fingerprint:
        raise DataError("the samples are not those of the run to resume", "give the table it was started with")
    assembled = assemble(
        config,
        parts,
        fitted=json.loads(saved["fitted"]),
        preprocess=Preprocess.from_dict(json.loads(saved["preprocess"])),
        load_initial=False,
    )
    assembled.method.load_state_dict(saved["method"])
    assembled.step.optimiser.load_state_dict(saved["optimiser"])
    assembled.plan.sampler.load_state_dict(saved["sampler"])
    restore_generators(saved["generators"])
    return assembled


def _write_origin(
    run: Run, assembled: Assembled, parts: Parts, fingerprint: Mapping[str, Any], report: Mapping[str, Any]
) -> None:
    run.write_json("data_fingerprint.json", fingerprint)
    run.write_json("preprocess.json", assembled.preprocess.to_dict())
    run.write_json("recipe.json", parts.recipe.to_dict())
    run.write_json("fitted.json", assembled.plan.fitted)
    run.write_json("pairs.json", report)
    parts.table.frame.select("sample").write_parquet(run.folder / "training_samples.parquet")


@dataclass
class _Training:
    """The loop over steps, and what is saved of it."""

    run: Run
    checkpoints: Checkpoints
    assembled: Assembled
    parts: Parts
    fingerprint: Mapping[str, Any]
    emit: Listener

    def go_on(self, step: int) -> None:
        """Train from step number ``step`` to the end."""
        assembled = self.assembled
        self.checkpoints.clean()
        MetricsFile(self.run.folder / "metrics.jsonl").trim(step)
        trackers = create_trackers(assembled.config.train.trackers, self.run.folder)
        self.emit(self._started(step))
        before = time.perf_counter()
        try:
            if step == 0:
                # So that a run killed in its first steps can be resumed like any other.
                self.save(0)
            with Interruption() as interruption:
                step = self._steps(step, self._monitor(trackers), interruption)
        except BaseException:
            self.emit(Stopped(step))
            raise
        finally:
            for tracker in trackers:
                tracker.close()
        self.emit(Finished(step, time.perf_counter() - before))

    def _steps(self, step: int, monitor: Monitor, interruption: Interruption) -> int:
        assembled = self.assembled
        train, total, per_epoch = assembled.config.train, assembled.total_steps, assembled.steps_per_epoch
        every = train.checkpoint_every_steps or max(per_epoch, _FEWEST_STEPS_BETWEEN_CHECKPOINTS)
        while step < total:
            for batch in assembled.feed.epoch(step // per_epoch, step % per_epoch):
                result = assembled.step(batch, step)
                lr = train.lr * assembled.step.schedule.factor(step)
                step += 1
                monitor.after(step, batch, result, lr)
                if step % every == 0 or step == total or interruption.requested:
                    monitor.require_finite(step)
                    self.save(step)
                if interruption.requested:
                    raise KeyboardInterrupt
                if step == total:
                    break
        return step

    def save(self, step: int) -> None:
        """Keep the state after ``step`` steps."""
        assembled = self.assembled
        epoch, step_of_epoch = divmod(step, assembled.steps_per_epoch)
        schedule = assembled.step.schedule
        state = {
            "method": assembled.method.state_dict(),
            "optimiser": assembled.step.optimiser.state_dict(),
            "schedule": {"total_steps": schedule.total_steps, "warmup_steps": schedule.warmup_steps},
            # Where training is, not where the workers have read to.
            "sampler": {**assembled.plan.sampler.state_dict(), "epoch": epoch, "step": step_of_epoch},
            "generators": generator_states(),
            "config": assembled.config.model_dump_json(),
            "fitted": json.dumps(assembled.plan.fitted),
            "preprocess": json.dumps(assembled.preprocess.to_dict()),
            "data": json.dumps(self.fingerprint),
        }
        self.emit(Saved(self.checkpoints.save(step, state), step))

    def _monitor(self, trackers: Sequence[Tracker]) -> Monitor:
        assembled, health = self.assembled, self.assembled.config.health
        labels = None if health.label is None else torch.from_numpy(self.parts.table.codes(health.label))
        return Monitor(
            every=health.every_steps,
            total_steps=assembled.total_steps,
            steps_per_epoch=assembled.steps_per_epoch,
            names=assembled.plan.scored_by.names,
            labels=labels,
            neighbours=health.neighbours,
            temperature=lambda: assembled.method.temperature,
            trackers=trackers,
            emit=self.emit,
        )

    def _started(self, step: int) -> Started:
        assembled = self.assembled
        return Started(
            samples=len(self.parts.table),
            steps_per_epoch=assembled.steps_per_epoch,
            total_steps=assembled.total_steps,
            step=step,
            parameters=assembled.parameters,
            device=str(assembled.device),
            precision=assembled.step.precision,
            composition=assembled.composition,
        )


def _silence(event: Event) -> None:
    pass
