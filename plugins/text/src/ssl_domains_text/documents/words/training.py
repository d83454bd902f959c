"""The training loop over the positions of a corpus; it writes a run folder, and goes on after an interruption.

Everything that a step draws is keyed by (seed, step). So a run that was killed and resumed has the same vectors, bit
for bit, as one that wasn't.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ssl_domains.engine import Run
from ssl_domains.engine.processes.exhaustion import exhaustion_as_resource_error
from ssl_domains.engine.processes.interruption import Interruption
from ssl_domains.engine.record.checkpoint import Checkpoints, OtherSamplesError, refuse_other_config
from ssl_domains.engine.record.config import RunConfig
from ssl_domains.engine.record.provenance import data_fingerprint, environment
from ssl_domains.engine.record.trackers import MetricsFile, Tracker, create_trackers
from ssl_domains.engine.record.trained_table import TABLE_FILE, table_record
from ssl_domains.engine.record.training_rows import training_rows
from ssl_domains.errors import DataError
from ssl_domains.samples import SampleTable
from ssl_domains_text.documents.words.batches import PositionBatches
from ssl_domains_text.documents.words.corpus import Corpus, build_corpus
from ssl_domains_text.documents.words.methods import WordMethod
from ssl_domains_text.documents.words.settings import config_toml, method_of
from ssl_domains_text.documents.words.texts import sentences_of, texts_of

__all__ = ["CORPUS", "Listener", "train_words"]

CORPUS = "corpus"
"""Folder of the corpus, in the run folder."""

_COMMAND = "ssl-domains text words"
_LAST_LR = 0.004  # the learning rate falls to this share of the first, as 0.0001 of 0.025 in word2vec
_MEASUREMENTS = 50
_FEWEST_STEPS_BETWEEN_CHECKPOINTS = 200
_FIRST, _DRAWN = 1, 2  # what a generator is for, beside (seed, step)

Listener = Callable[[str, int, int], None]
"""Takes what is done, how much of it, and how much there is; `ssl_domains.cli.progress.Progress` is one."""


def train_words(
    config: RunConfig,
    table: SampleTable,
    out: Path,
    *,
    resume: bool = False,
    progress: Listener = lambda what, done, total: None,
    say: Callable[[str], None] = lambda text: None,
) -> Run:
    """Train word vectors on the texts of the training documents.

    Args:
        config: Made by `ssl_domains_text.documents.words.settings.word_config`.
        table: A table of documents; its queries, and rows of other sides of the split, are left out.
        out: The run folder.
        resume: Go on with the run in ``out``.
        progress: Called with what is being done, and how far it is.
        say: Called with a line now and then.

    Returns:
        The finished run.

    Raises:
        UsageError: When ``out`` holds a run and ``resume`` is False, when there is nothing to resume, when the
            checkpoint was made with another configuration, or when another process trains into ``out``.
        DataError: When no document or no word is left, a text can't be read, a checkpoint can't be read, the texts are
            not those of the resumed run, or the loss is not a finite number.
        ResourceError: When disk or memory run out.
        KeyboardInterrupt: After Ctrl-C or SIGTERM; the step is finished and saved first.
    """
    with ExitStack() as stack:
        stack.enter_context(exhaustion_as_resource_error())
        stack.enter_context(Run.alone(out))
        Run.require_resumable(out) if resume else Run.require_new(out)
        run = Run(out)
        documents = _documents(table)
        fingerprint = data_fingerprint(documents, {"content"})
        checkpoints = Checkpoints(out / "checkpoints", config.train.keep)
        saved: dict[str, Any] = {}
        if resume:
            saved = checkpoints.load()
            with checkpoints.damaged():
                refuse_other_config(saved["config"], config)
                data = json.loads(saved["data"])
            if data != fingerprint:
                raise OtherSamplesError(
                    "the texts are not those of the run to resume", "give the table it was started with"
                )
            corpus = Corpus.open(out / CORPUS)
        else:
            corpus = _corpus(config, documents, out / CORPUS, progress)
            _write_origin(run, config, documents, fingerprint)
        loop = _Loop(run, checkpoints, config, corpus, fingerprint, progress, say)
        loop.go_on(saved)
    return Run.open(out)


def _documents(table: SampleTable) -> SampleTable:
    rows = table.rows_of("train")
    if "side" in table.columns:
        documents = (table.text("side") == "document").fill_null(False).to_numpy()
        rows = rows[documents[rows]]
    if not len(rows):
        raise DataError("the table has no training documents", "scan documents; look at the columns 'side' and 'split'")
    return table.take(rows)


def _corpus(config: RunConfig, documents: SampleTable, folder: Path, progress: Listener) -> Corpus:
    options = config.method.model_dump()

    def sentences() -> Any:
        for number, text in enumerate(texts_of(documents), start=1):
            yield from sentences_of(text, options["sentences"])
            progress("reading texts", number, len(documents))

    return build_corpus(
        sentences(),
        folder,
        min_count=options["min_count"],
        max_words=options["max_words"],
        shuffle=options["shuffle_words"],
    )


def _write_origin(run: Run, config: RunConfig, documents: SampleTable, fingerprint: Mapping[str, Any]) -> None:
    run.write_json("data_fingerprint.json", fingerprint)
    run.write_frame("training_samples.parquet", training_rows(documents))
    run.write_json(TABLE_FILE, table_record(documents))
    run.write_json(
        "environment.json", {**environment(torch.device("cpu"), "float32"), "reads_pairs": False, "command": _COMMAND}
    )
    # Written last of the small files: a folder with config.toml is a run folder.
    run.write_text("config.toml", config_toml(config))


@dataclass
class _Loop:
    run: Run
    checkpoints: Checkpoints
    config: RunConfig
    corpus: Corpus
    fingerprint: Mapping[str, Any]
    progress: Listener
    say: Callable[[str], None]
    method: WordMethod = field(init=False)
    batches: PositionBatches = field(init=False)
    total: int = field(init=False)

    def __post_init__(self) -> None:
        train, options = self.config.train, self.config.method.model_dump()
        kind = method_of(options.pop("name"))
        first = np.random.default_rng((train.seed, _FIRST))
        self.method = kind(self.corpus.counts, kind.options(**options), first)
        self.batches = PositionBatches(self.corpus.bounds, train.batch_size, train.seed)
        self.total = train.epochs * len(self.batches)
        if train.max_steps is not None:
            self.total = min(self.total, train.max_steps)

    def go_on(self, saved: Mapping[str, Any]) -> None:
        step = int(saved.get("step", 0))
        if saved:
            with self.checkpoints.damaged():
                self.method.load_state_dict(saved["method"], saved["optimiser"])
        self.checkpoints.clean()
        MetricsFile(self.run.folder / "metrics.jsonl").trim(step)
        trackers = create_trackers(self.config.train.trackers, self.run.folder)
        corpus = self.corpus
        left = f", {corpus.left_out:,} rarer words left out" if corpus.left_out else ""
        on = f", going on at step {step:,}" if step else ""
        self.say(
            f"training on {len(corpus):,} words of {len(corpus.bounds) - 1:,} sentences{left}: a vocabulary of "
            f"{len(corpus.words):,}, {self.total:,} steps of {self.config.train.batch_size:,} words{on}"
        )
        try:
            if not step:
                self._save(0)  # a run that is killed in its first steps can be resumed too
            # Numbers that are not finite end the run when the loss is measured, with an error.
            with Interruption() as interruption, np.errstate(over="ignore", invalid="ignore"):
                self._steps(step, trackers, interruption)
        finally:
            for tracker in trackers:
                tracker.close()

    def _steps(self, step: int, trackers: list[Tracker], interruption: Interruption) -> None:
        train, health = self.config.train, self.config.health
        per_epoch = len(self.batches)
        saved_every = train.checkpoint_every_steps or max(per_epoch, _FEWEST_STEPS_BETWEEN_CHECKPOINTS)
        measured_every = health.every_steps or max(1, self.total // _MEASUREMENTS)
        began, words, loss = time.perf_counter(), 0, float("nan")
        start = step
        while step < self.total:
            for ask in self.batches.epoch(step // per_epoch, step % per_epoch):
                lr = train.lr * (1 - (1 - _LAST_LR) * step / self.total)
                measure = (step + 1) % measured_every == 0 or step + 1 == self.total
                batch = self.corpus.batch(ask)
                rng = np.random.default_rng((train.seed, _DRAWN, step))
                result = self.method.step(batch, rng, lr, measure=measure)
                step += 1
                words += len(batch.words)
                if measure:
                    loss = self._measure(
                        step, result.terms, result.loss, words / (time.perf_counter() - began), lr, trackers
                    )
                self.progress("training", step, self.total)
                stop = interruption.requested
                if step % saved_every == 0 or step == self.total or stop:
                    self._save(step)
                if stop:
                    raise KeyboardInterrupt
                if step == self.total:
                    break
        seconds = time.perf_counter() - began
        if step > start:
            self.say(
                f"done: {step - start:,} steps, {words / seconds:,.0f} words/s, loss {loss:.4f} a pair at the last"
            )

    def _measure(self, step: int, terms: int, summed: float, speed: float, lr: float, trackers: list[Tracker]) -> float:
        loss = summed / max(terms, 1)
        if not np.isfinite(loss) or not np.isfinite(self.method.vectors).all():
            raise DataError(f"the loss is not a finite number at step {step:,}", "use a smaller train.lr")
        values = {
            "step": step,
            "epoch": (step - 1) // len(self.batches),
            "loss": loss,
            "terms": terms,
            "words_per_s": speed,
            "lr": lr,
        }
        for tracker in trackers:
            tracker.log(values)
        return loss

    def _save(self, step: int) -> None:
        self.checkpoints.save(
            step,
            {
                "method": self.method.state_dict(),
                "optimiser": {name: torch.from_numpy(value) for name, value in self.method.update.state.items()},
                "schedule": {"total_steps": self.total},
                "config": self.config.model_dump_json(),
                "data": json.dumps(self.fingerprint),
            },
        )
