"""``ssl-domains DOMAIN probe``: probe the frozen encoder, and compare it with floors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from ssl_domains.cli.console import answering, table
from ssl_domains.cli.session import domain_of
from ssl_domains.errors import UsageError

__all__ = ["command", "folds_of", "one_target", "shares_of"]


def command(
    ctx: typer.Context,
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run folder.")],
    label: Annotated[str | None, typer.Option(metavar="COLUMN", help="Column to predict.")] = None,
    masks: Annotated[
        bool, typer.Option("--masks", help="Predict each pixel's class instead: a dense probe of the scanned masks.")
    ] = False,
    transcripts: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Predict the texts of this column: a CTC head on the frames.")
    ] = None,
    relevance: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Retrieval: pairs of samples (columns a, b, grade) that are relevant to each "
            "other, or a rule that says which are.",
        ),
    ] = None,
    gallery: Annotated[
        str | None,
        typer.Option(
            metavar="train|test",
            help="Retrieval: test rows query the training rows or the other test rows; "
            "with --label, samples of one class are relevant to each other.",
        ),
    ] = None,
    group: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Groups to hold out whole; by default those of --split-by."),
    ] = None,
    fractions: Annotated[str, typer.Option(help="Shares of the labelled training groups, as 0.01,0.1,1.")] = "1",
    draws: Annotated[
        int, typer.Option(min=1, help="Draws of the labelled groups; the table shows the mean over them.")
    ] = 1,
    folds: Annotated[
        str | None,
        typer.Option(
            metavar="N|all",
            help="Hold out all groups in turn, in N folds or one by one, in place of the split; the table shows means.",
        ),
    ] = None,
    standardise_by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Also probe features standardised within each group of this column, test groups too (transductive).",
        ),
    ] = None,
    floor: Annotated[
        list[str] | None, typer.Option(metavar="COLUMNS", help="A floor from these columns alone; repeatable.")
    ] = None,
    handmade: Annotated[
        bool, typer.Option("--handmade", help="Also probe the domain's hand-made features, such as HOG.")
    ] = False,
    alone: Annotated[
        bool, typer.Option("--alone", help="Leave out random initialisation and the domain's usual floors.")
    ] = False,
    head: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="With --masks: 1x1 (default) or deeplab; repeatable.")
    ] = None,
    alphabet: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="With --transcripts: digits, ascii, a text file, or the characters; else those of training rows.",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="With --transcripts: steps of each head, 500 by default.")
    ] = None,
    last_map: Annotated[
        bool, typer.Option("--last-map", help="With --masks: read the last map alone, not those of all stages.")
    ] = False,
    tile: Annotated[
        bool, typer.Option("--tile", help="For views that show crops: average over tiles that cover each sample.")
    ] = False,
    overlap: Annotated[
        float, typer.Option(help="With --tile: share of a tile's length that neighbours overlap by.")
    ] = 0.0,
    samples: Annotated[Path | None, typer.Option(help="Sample table; by default that of the run.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on standard output.")] = False,
) -> None:
    """Probe the frozen encoder on a group-disjoint split, beside random initialisation and floors: not evidence."""
    from ssl_domains.cli.work.probe import probe, probe_masks, probe_retrieval, probe_transcripts
    from ssl_domains.cli.work.tiling import tiling_of

    shares = shares_of(fractions)
    one_target(
        "a probe",
        {
            "--label COLUMN": label is not None, "--masks": masks, "--transcripts COLUMN": transcripts is not None,
            "--relevance FILE": relevance is not None,
        },
    )  # fmt: skip
    retrieval = relevance is not None or (gallery is not None and label is not None)
    if gallery is not None and not retrieval:
        what = "masks" if masks else "transcripts"
        raise UsageError(f"--gallery is for retrieval, not for {what}", "leave it out, or add --label COLUMN")
    for flag, given in (
        ("--fractions", fractions != "1"), ("--draws", draws > 1), ("--floor", floor), ("--tile", tile),
        ("--handmade", handmade), ("--folds", folds), ("--standardise-by", standardise_by),
    ):  # fmt: skip
        if retrieval and given:
            raise UsageError(f"{flag} is not for retrieval, which fits nothing", "leave it out")
    for flag, given in (
        ("--floor", floor), ("--tile", tile), ("--draws", draws > 1), ("--handmade", handmade), ("--folds", folds),
        ("--standardise-by", standardise_by),
    ):  # fmt: skip
        if masks and given:
            raise UsageError(f"{flag} is for columns, not for masks", "leave it out, or probe a column with --label")
    for flag, given in (
        ("--floor", floor), ("--tile", tile), ("--handmade", handmade), ("--folds", folds),
        ("--standardise-by", standardise_by),
    ):  # fmt: skip
        if transcripts is not None and given:
            raise UsageError(f"{flag} is for columns of labels, not for transcripts", "leave it out")
    for flag, given in (("--alphabet", alphabet is not None), ("--steps", steps is not None)):
        if transcripts is None and given:
            raise UsageError(f"{flag} is for --transcripts", "leave it out")
    if not masks and (head or last_map):
        raise UsageError("--head and --last-map are for --masks", "leave them out")
    with answering(as_json) as answer:
        domain = domain_of(ctx)
        if retrieval:
            report = probe_retrieval(
                domain, run, label, relevance, gallery=gallery or "train", samples=samples, group=group, alone=alone
            )
        elif transcripts is not None:
            report = probe_transcripts(
                domain, run, transcripts, samples=samples, group=group, fractions=shares, draws=draws, alone=alone,
                alphabet=alphabet, steps=steps,
            )  # fmt: skip
        elif label is None:
            report = probe_masks(
                domain, run, samples=samples, group=group, fractions=shares, heads=head or ["1x1"], last_map=last_map,
                alone=alone,
            )  # fmt: skip
        else:
            floors = tuple(floor or ())
            tiling = tiling_of(tile, overlap)
            report = probe(
                domain, run, label, samples=samples, group=group, fractions=shares, draws=draws, floors=floors,
                handmade=handmade, alone=alone, tiling=tiling, folds=None if folds is None else folds_of(folds),
                standardise_by=standardise_by,
            )  # fmt: skip
        answer.json({**report.to_dict(), "evidence": False})
        answer.line(report.title)
        rows = report.table()
        answer.line(table(report.headings, [[row[name] for name in report.headings] for row in rows]))
        for remark in report.remarks():
            answer.line(f"· {remark}")


def one_target(what: str, targets: Mapping[str, bool]) -> None:
    """Check that exactly one of several options is given.

    Args:
        what: What needs it, for the message: ``"a probe"``.
        targets: Each option with its value, as ``"--label COLUMN"``, and whether it is given.

    Raises:
        UsageError: When none is given, or several; these are named.
    """
    given = [option.partition(" ")[0] for option, chosen in targets.items() if chosen]
    if len(given) > 1:
        named = f"{', '.join(given[:-1])} and {given[-1]}"
        raise UsageError(f"{what} has one target, not {named} together", f"leave out {' and '.join(given[1:])}")
    if not given:
        options = list(targets)
        raise UsageError(f"{what} needs a target", f"add {', '.join(options[:-1])} or {options[-1]}")


def folds_of(text: str) -> int:
    """The value of ``--folds``: a number of folds, or 0 (one for each group) for ``all``.

    Raises:
        UsageError: When it is neither ``all`` nor a whole number of at least 2.
    """
    if text == "all":
        return 0
    if not text.isascii() or not text.isdigit() or int(text) < 2:
        raise UsageError(f"--folds {text!r} is no number of folds", "for example --folds 5, or --folds all")
    return int(text)


def shares_of(text: str) -> tuple[float, ...]:
    """The value of ``--fractions`` as numbers.

    Raises:
        UsageError: When it is no list of numbers above 0 and at most 1.
    """
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--fractions {text!r} is not a list of numbers", "for example --fractions 0.01,0.1,1"
        ) from None
    if not all(0 < share <= 1 for share in shares):
        raise UsageError(
            f"--fractions {text!r}: each share must be above 0 and at most 1", "for example --fractions 0.01,0.1,1"
        )
    return shares
