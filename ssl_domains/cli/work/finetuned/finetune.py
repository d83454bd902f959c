"""Fine-tuning from a sample table to a report: opens what is fine-tuned, the labels and the store, and compares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.console import error, note
from ssl_domains.cli.progress import Progress, showing_progress
from ssl_domains.cli.work.finetuned.starting import check_settings, weights_of
from ssl_domains.cli.work.tables import fill_masks, fill_store, open_table, require_mask_reader, require_masks
from ssl_domains.cli.work.viewing import build_recipe
from ssl_domains.errors import DataError, UsageError, did_you_mean
from ssl_domains.extending import Domain

if TYPE_CHECKING:
    from ssl_domains.finetuning.comparison import Comparison
    from ssl_domains.finetuning.measuring.initial import InitialWeights
    from ssl_domains.finetuning.measuring.material import Material
    from ssl_domains.finetuning.rehearsal import Rehearsed
    from ssl_domains.finetuning.report import FineTuneReport
    from ssl_domains.samples import SampleTable
    from ssl_domains.stores import ArrayStore, MaskStore
    from ssl_domains.views import Crop

__all__ = ["FineTuneRequest", "finetune_run"]

_HEADS = {"1x1": "conv", "deeplab": "deeplab"}


@dataclass(frozen=True)
class FineTuneRequest:
    """Options of a ``finetune`` command line.

    Attributes:
        samples: Sample table.
        start: Run folder, ``pretrained`` or a file of weights.
        out: Run folder of the fine-tuned model.
        label: Column to predict; None for the masks, and for transcripts.
        layers: ``head``, ``all`` or a number of stages; None for the default.
        fractions: Shares of the labelled training groups.
        draws: Draws of each share below 1.
        group: Column whose groups stay whole.
        scratch: Whether training from scratch stands beside.
        head: Head of masks: ``1x1`` or ``deeplab``; None for the default.
        encoder: Name of the encoder, where ``start`` is no run.
        sets: ``KEY=VALUE`` texts of ``--set``.
        resume: Whether to go on with the fine-tuning in ``out``.
        dry_run: Whether to do a few steps only, and estimate time and memory.
        transcripts: Column of transcripts to predict; None for another target.
        alphabet: Characters of a recogniser; None takes those of the training rows.
    """

    samples: Path
    start: str
    out: Path
    label: str | None
    layers: str | None = None
    fractions: tuple[float, ...] = (1.0,)
    draws: int = 5
    group: str | None = None
    scratch: bool = True
    head: str | None = None
    encoder: str | None = None
    sets: tuple[str, ...] = ()
    resume: bool = False
    dry_run: bool = False
    transcripts: str | None = None
    alphabet: str | None = None

    @property
    def column(self) -> str | None:
        """The column that is predicted; None for the masks."""
        return self.transcripts if self.label is None else self.label

    def settings(self) -> dict[str, Any]:
        """Values of the configuration, by dotted key.

        Raises:
            UsageError: When a text of ``--set`` is not ``KEY=VALUE``.
        """
        from ssl_domains.engine.record.config_file import parse_set

        values = dict(parse_set(text) for text in self.sets)
        return values if self.layers is None else {**values, "method.layers": self.layers}


def finetune_run(
    domain: Domain, request: FineTuneRequest, say: Callable[[str], None] | None
) -> FineTuneReport | Rehearsed:
    """Fine-tune and compare, or make a dry run.

    Args:
        domain: The domain.
        request: The options.
        say: Called with a line for each finished training; None for silence.

    Raises:
        UsageError: For options, settings, columns or weights that don't fit; for a run folder that is in use.
        DataError: For labels or masks that nothing can be learnt from.
    """
    from ssl_domains.engine import Run
    from ssl_domains.engine.processes.distributed import processes
    from ssl_domains.finetuning.comparison import compare
    from ssl_domains.finetuning.measuring.identity import PLAN_FILE
    from ssl_domains.finetuning.rehearsal import rehearse_comparison

    with ExitStack() as stack:
        world = stack.enter_context(processes())
        with world.together():
            # Before anything is decoded, which may take hours.
            if world.first and not request.dry_run:
                stack.enter_context(Run.alone(request.out))
                if not request.resume:
                    Run.require_new(request.out)
                elif not (request.out / PLAN_FILE).is_file():
                    hint = "leave --resume out to start one"
                    raise UsageError(f"there is no fine-tuning to resume in {request.out}", hint)
        with world.in_turn():
            comparison = _prepare(domain, request)
        if request.dry_run:
            return rehearse_comparison(comparison)
        with _Display(say) as display:
            return compare(
                comparison, request.out, resume=request.resume, progress=display.progress, say=display.say,
                warn=display.warn,
            )  # fmt: skip


def _prepare(domain: Domain, request: FineTuneRequest) -> Comparison:
    """Open weights, table, store and labels, and check them."""
    from ssl_domains.finetuning.comparison import Comparison
    from ssl_domains.stores import default_store

    settings = request.settings()
    head = request.head or "1x1"
    if head not in _HEADS:
        raise UsageError(f"there is no head {head!r}", did_you_mean(head, _HEADS))
    if request.column is None:
        require_mask_reader(domain)
    run = check_settings(domain, request.start, request.encoder, settings)
    table = open_table(domain, request.samples)
    if request.column is not None:
        table.label(request.column)
    else:
        require_masks(domain, table)
    folder = _store_of(request, settings, run)
    store = fill_store(domain, table, folder)
    if folder != default_store(request.samples):
        settings["data.store"] = str(folder)
    initial = weights_of(domain, request.start, run, table, store, request.encoder, settings, request.samples)
    if request.column is not None and request.label is None and initial.crop is not None:
        initial = _without_crop(initial, initial.crop, table, store)
    masks = None if request.column is not None else fill_masks(domain, table, request.samples)
    material = _material(request, table, store, masks, initial)
    if request.transcripts is not None:
        for text in material.notes:  # which rows are left out, before the first training
            note(f"note: {text}")
    _refuse_labels_of_test_groups(initial, material)
    supervised = _labels_read(initial, material, masks)
    remarks = [
        f"supervised contrastive: the rule of the pre-training read {supervised:,} labels of {material.label!r}"
    ] if supervised else []  # fmt: skip
    unfinished = "" if run is None else run.unfinished_remark()
    if unfinished:
        error("warning", unfinished, "pretrain --resume goes on")
    return Comparison(
        material=material,
        initial=initial,
        recipe=lambda rows, config: build_recipe(domain, rows, config, initial.preprocess.spec.channels, views=1),
        fractions=request.fractions,
        draws=request.draws,
        scratch=request.scratch,
        sets={key: value for key, value in settings.items() if key.partition(".")[0] in ("train", "method", "health")},
        head=_HEADS[head],
        supervised=supervised,
        notes=(*([unfinished] if unfinished else []), *remarks),
    )


def _without_crop(initial: InitialWeights, crop: Crop, table: SampleTable, store: ArrayStore) -> InitialWeights:
    """The weights of an encoder that was trained on crops, for samples of which a crop shows all.

    Raises:
        UsageError: When some sample is larger than a crop, as its transcript is that of the whole sample.
    """
    from ssl_domains.views.crops import tiles_of

    decoded = table.take(store.of(table).decoded)
    if tiles_of(crop, decoded, store.of(decoded)).cut:
        cause = "the views of the encoder show crops, and the transcripts are those of whole samples"
        raise UsageError(cause, "scan samples that are no larger than a crop, or fine-tune for a column with --label")
    return replace(initial, crop=None, base=initial.base.with_values({"views.crop": None}))


def _store_of(request: FineTuneRequest, settings: Mapping[str, Any], run: Any) -> Path:
    """The store of the table: the one that is set; that of the run, for the run's own table; or the one beside it."""
    from ssl_domains.stores import default_store

    if "data.store" in settings:
        return Path(settings["data.store"])
    if run is not None and run.config.data.store and run.config.data.samples:
        own = Path(run.config.data.samples)
        if own.is_file() and own.samefile(request.samples):
            return Path(run.config.data.store)
    return default_store(request.samples)


def _material(
    request: FineTuneRequest, table: SampleTable, store: ArrayStore, masks: MaskStore | None, initial: InitialWeights
) -> Material:
    from ssl_domains.finetuning.measuring.material import label_material, mask_material, transcript_material
    from ssl_domains.views import with_label_maps

    run = initial.run
    given: dict[str, Any] = {
        "group": request.group,
        "trained": frozenset() if run is None else run.training_samples,
        "meta": None if run is None else run.table_meta,
    }
    if request.label is not None:
        return label_material(table, store, request.label, **given)
    if request.transcripts is not None:
        return transcript_material(
            table, store, request.transcripts, initial.encoder(), initial.preprocess, alphabet=request.alphabet, **given
        )
    assert masks is not None
    owner = "the encoder" if run is None else f"the run {run.folder.name!r}"
    return mask_material(
        table, store, masks, with_label_maps(initial.preprocess, owner), crop=initial.crop, **given
    )  # fmt: skip


def _refuse_labels_of_test_groups(initial: InitialWeights, material: Material) -> None:
    """Refuse a run that was trained with labels on groups that are tested here."""
    run = initial.run
    if run is not None and run.config.method.name == "finetune" and material.split.transductive:
        raise DataError(
            f"the run {run.folder.name!r} was fine-tuned with labels on groups that are tested here",
            "give the run that it was fine-tuned from with --from",
        )


def _labels_read(initial: InitialWeights, material: Material, masks: MaskStore | None) -> int:
    from ssl_domains.evaluation.dense import masks_read_by
    from ssl_domains.evaluation.probe import labels_read_by
    from ssl_domains.probes import read_labels
    from ssl_domains.probes.transcripts import TRANSCRIPTION, read_transcripts

    if initial.run is None:
        return 0
    if masks is not None:
        return masks_read_by(initial.run, material.whole, masks)
    column = material.whole.label(material.label)
    labels = read_transcripts(column) if material.task == TRANSCRIPTION else read_labels(column)
    return labels_read_by(initial.run, material.label, material.whole, labels)


class _Display:
    """Shows the progress of a training, and a line for each finished one, which does not run into a progress bar."""

    def __init__(self, say: Callable[[str], None] | None) -> None:
        self._say = say
        self._stack = ExitStack()
        self._shown: Progress | None = None

    def __enter__(self) -> _Display:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def progress(self, what: str, done: int, total: int) -> None:
        if self._shown is None:
            self._shown = self._stack.enter_context(showing_progress())
        self._shown(what, done, total)

    def say(self, text: str) -> None:
        self.close()
        if self._say is not None:
            self._say(text)

    def warn(self, text: str) -> None:
        self.close()
        error("warning", text, "")

    def close(self) -> None:
        self._shown = None
        self._stack.close()
