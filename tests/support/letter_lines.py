"""A small world of lines: signals whose letters are tones, with transcripts, writers, and a run to start from.

Each letter is a tone of its own, as long as three or four frames of ``conv1d``, between pauses of a frame. As a program
it fine-tunes in a folder and kills itself after a step: ``letter_lines.py FOLDER OUT STEP``.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.engine import Parts, Run, RunConfig, load_config, pretrain
from ssl_domains.engine.record.events import Event, Stepped
from ssl_domains.extending import Domain, RecipeRequest
from ssl_domains.finetuning import FineTuneParts, finetune, finetune_config
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, Objective
from ssl_domains.probes.transcripts import TranscriptFit, Transcripts, read_directions, read_transcripts
from ssl_domains.samples import Problems, ReadError, SampleTable, ScanResult, TextFile, TextPlan, Transcribed
from ssl_domains.stores import ArrayStore
from ssl_domains.views import AddNoise, CropLength, Gain, Recipe, SequenceRecipe, SignalPreprocess

WHY = "for the test"
FRAME = 64
LETTERS = "abc"


def line(text: str, rng: np.random.Generator, noise: float = 0.05) -> NDArray[np.float32]:
    """The signal of a text, whose letters run from left to right."""
    parts = [np.zeros(FRAME)]
    for letter in text:
        length = FRAME * int(rng.integers(3, 5))
        # Letters outside LETTERS have a tone, too.
        pitch = 0.08 * (1 + (ord(letter) - ord("a")) % 7)
        parts += [np.sin(np.arange(length) * pitch), np.zeros(FRAME)]
    signal_of = np.concatenate(parts)
    return (signal_of + rng.normal(0, noise, len(signal_of))).astype(np.float32)


class LineReader:
    version = "1"
    axes = "t"

    def scan(self, source: Path, **options: Any) -> ScanResult:
        problems, rows = Problems(), []
        for path in sorted(Path(source).glob("*.npy")):
            try:
                self.load({"path": str(path)})
            except ReadError as error:
                problems.add(path, error)
                continue
            writer, number, text = path.stem.split("-")
            rows.append(
                {"sample": f"{writer}-{number}", "path": str(path), "writer": writer, "text": text or None,
                 "split": "test" if int(writer[1:]) % 4 == 3 else "train"}
            )  # fmt: skip
        schema = dict.fromkeys(("sample", "path", "writer", "text", "split"), pl.String)
        return ScanResult(SampleTable(pl.DataFrame(rows, schema=schema)), problems.frame())

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        try:
            loaded: NDArray[np.generic] = np.load(row["path"])
        except (OSError, ValueError, EOFError) as error:
            raise ReadError(f"no line: {getattr(error, 'strerror', None) or error}") from error
        return loaded


def write_lines(out: Path, writers: int = 8, lines: int = 4, seed: int = 0) -> None:
    """Files ``WRITER-NUMBER-TEXT.npy``."""
    out.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    for writer in range(writers):
        for number in range(lines):
            text = "".join(rng.choice([*LETTERS], int(rng.integers(2, 6))))
            np.save(out / f"w{writer}-{number}-{text}.npy", line(text, rng))


def demo_data(out: Path, seed: int) -> str:
    """Lines of eight writers; one whose text is longer than its signal, one without a text, and one that is damaged."""
    write_lines(out, seed=seed)
    rng = np.random.default_rng(seed + 1)
    np.save(out / f"w0-8-{'ab' * 30}.npy", line("ab", rng))
    np.save(out / "w1-8-.npy", line("ab", rng))
    (out / "w2-8-ab.npy").write_bytes(b"")
    return f"next: ssl-domains letter scan {out} -o samples.parquet"


def recipe(request: RecipeRequest) -> Recipe:
    return make_recipe(request.views)


def make_recipe(views: int = 1) -> SequenceRecipe:
    steps = (CropLength((0.5, 1.0), reason=WHY), Gain(reason=WHY), AddNoise(reason=WHY))
    return SequenceRecipe(steps, views=views)


def preprocess(table: SampleTable) -> SignalPreprocess:
    return SignalPreprocess()


@dataclass(frozen=True)
class WriterPage(TextFile):
    """All texts of a writer in one file, as a page has the texts of its lines; that of writer w5 can't be read."""

    def write(self, path: Path, texts: Mapping[int, Transcribed]) -> None:
        if "w5" in self.name:
            raise ReadError("the page is torn")
        lines = [f"{row}\t{one.text}\t{one.confidence:.6f}" for row, one in sorted(texts.items())]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def text_files(table: SampleTable, root: Path | None) -> TextPlan:
    """A page of each writer; samples without a writer are on none."""
    writers = table.frame["writer"].to_list()
    names = sorted({writer for writer in writers if writer is not None})
    files = [
        WriterPage(f"{name}.tsv", tuple(row for row, writer in enumerate(writers) if writer == name)) for name in names
    ]
    return TextPlan(tuple(files), (f"{len(files)} pages",))


LINES = Domain(
    "letter", "lines of tones", reader=LineReader, recipe=recipe, preprocess=preprocess, default_encoder="conv1d",
    group="writer", demo_data=demo_data, text_files=text_files,
)  # fmt: skip


def ssl_domains_domains() -> list[Domain]:
    return [LINES]


@dataclass(frozen=True)
class World:
    """Table, arrays and a pre-trained run, all in ``folder``."""

    folder: Path
    table: SampleTable
    store: ArrayStore
    run: Run

    @property
    def train(self) -> NDArray[np.int64]:
        return np.asarray(self.table.rows_of("train"))

    @property
    def test(self) -> NDArray[np.int64]:
        return np.asarray(self.table.rows_of("test"))

    @property
    def transcripts(self) -> Transcripts:
        return read_transcripts(self.table.column("text"), read_directions(self.table.frame))

    def parts(self, rows: Any = None, **changes: Any) -> FineTuneParts:
        """Parts of a fine-tuning on the training rows, from the run."""
        rows = self.train if rows is None else rows
        table = self.table.take(rows)
        values: dict[str, Any] = {
            "table": table, "store": self.store, "recipe": make_recipe(), "label": "text",
            "labels": self.transcripts.take(rows), "groups": table.codes("writer"), "preprocess": self.run.preprocess,
            "start": self.run.folder, "fit": TranscriptFit(steps=30, lr=(0.03,)),
        }  # fmt: skip
        return FineTuneParts(**{**values, **changes})

    def config(self, **values: Any) -> RunConfig:
        """A configuration for these parts, of few steps."""
        made = finetune_config(self.run.config, len(self.train), steps=6, batch=8)
        return made.with_values({"train.checkpoint_every_steps": 2, "train.keep": 9, **values})


def make_world(folder: Path) -> World:
    """The world in a folder; made anew or opened where it is there."""
    data, out = folder / "lines", folder / "run"
    if not data.exists():
        write_lines(data)
    table = LineReader().scan(data).samples
    store = ArrayStore.fill(folder / "store", table, LineReader())
    if not (out / "config.toml").is_file():
        settings = (
            "encoder.name=conv1d", "train.epochs=1", "train.batch_size=12", "train.device=cpu", "head.hidden=16",
            "head.out=8", "train.lr=0.003",
        )  # fmt: skip
        rows = np.asarray(table.rows_of("train"))
        parts = Parts(
            table.take(rows), store, Objective(), Composition(), make_recipe(2), None, SimCLR, SignalPreprocess()
        )
        pretrain(load_config(sets=settings), parts, out)
    return World(folder, table, store, Run.open(out))


def killed(folder: str, out: str, step: str) -> None:
    """Fine-tune until a step is done, then die without a chance to clean up."""

    def listen(event: Event) -> None:
        if isinstance(event, Stepped) and event.step == int(step):
            os.kill(os.getpid(), signal.SIGKILL)

    world = make_world(Path(folder))
    finetune(world.config(), world.parts(), out, on_event=listen)


if __name__ == "__main__":
    killed(*sys.argv[1:])
