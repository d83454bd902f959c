"""The outcome of a training of a comparison, kept as a JSON file, so that a resumed comparison does not train again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine import Run
from ssl_domains.errors import DataError
from ssl_domains.finetuning.measuring.levelling import levelling
from ssl_domains.finetuning.measuring.material import Material
from ssl_domains.finetuning.measuring.scores import TestScores, answer_scores, map_scores, text_scores
from ssl_domains.finetuning.measuring.trainings import Training
from ssl_domains.finetuning.model import FineTuned
from ssl_domains.probes.metrics import selection_score
from ssl_domains.probes.transcripts import TRANSCRIPTION
from ssl_domains.samples import write_errors, write_whole

__all__ = ["Outcome", "outcome_of", "read_outcome", "write_outcome"]

_FILE = "score.json"


@dataclass(frozen=True)
class Outcome:
    """Scores of a training, or of a frozen probe.

    Attributes:
        scores: The scores.
        levelled: Whether the loss has levelled off; None for a frozen probe.
        selection: Score by which views are chosen, higher is better: it leaves out classes that are missing.
    """

    scores: TestScores
    levelled: bool | None = None
    selection: float = 0.0


def outcome_of(material: Material, training: Training, run: Run, rows: NDArray[np.int64]) -> Outcome:
    """Score a finished training.

    Args:
        material: The rows of the comparison.
        training: The training.
        run: Its run.
        rows: int64 ``[t]``, positions of the rows to score.

    Raises:
        DataError: When the model gives numbers that are not finite.
    """
    model, table = FineTuned.open(run), material.table.take(rows)
    measured = levelling(run.metrics(), training.steps)
    levelled = None if measured is None else measured.levelled
    if material.targets is not None:
        scores = map_scores(material, rows, model.label_maps(table, material.store))
        known = [value for value in scores.per_class.values() if value is not None]
        return Outcome(scores, levelled, float(np.mean(known)) if known else 0.0)
    if material.task == TRANSCRIPTION:
        scores = text_scores(material, rows, model.transcripts(table, material.store))
        return Outcome(scores, levelled, scores.leading(material.task) or 0.0)
    answers = model.answers(table, material.store)
    scores = answer_scores(material, training.rows, rows, answers)
    return Outcome(scores, levelled, selection_score(material.labels.take(rows), answers))


def read_outcome(folder: Path) -> Outcome | None:
    """Read the outcome in a folder; None when there is none.

    Raises:
        DataError: When the file can't be read.
    """
    path = folder / _FILE
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        scores = stored["scores"]
        scores["per_group"] = tuple(tuple(row) for row in scores["per_group"])
        scores["notes"] = tuple(scores["notes"])
        return Outcome(TestScores(**scores), stored["levelled"], stored["selection"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise DataError(f"{path} can't be read: {error}", "delete it, and its training is done again") from error


def write_outcome(folder: Path, outcome: Outcome) -> None:
    """Write an outcome, whole.

    Raises:
        ResourceError: When the disk is full.
        UsageError: When the folder can't be written to.
    """
    text = json.dumps(asdict(outcome), indent=1, ensure_ascii=False) + "\n"
    with write_errors(str(folder / _FILE), "--resume: finished trainings are kept"):
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / _FILE, lambda part: part.write_text(text, encoding="utf-8"))
