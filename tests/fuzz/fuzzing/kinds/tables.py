"""CSV, XLSX and Parquet as sample table, as source, as the table of --join; and edges for `linked`."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from fuzzing.kind import Command, Kind, Plan
from fuzzing.kinds.shared import SMALL
from fuzzing.mutations.archive import ZIP
from fuzzing.mutations.frame import csv_frame, parquet_frame, parquet_metadata, xlsx_frame
from fuzzing.mutations.raw import RAW
from fuzzing.mutations.text import TEXT
from fuzzing.mutations.tree import JSON

if TYPE_CHECKING:
    import polars as pl

__all__ = ["KINDS"]


def _make(suffix: str) -> Callable[[Path, Path], None]:
    def make(folder: Path, shared: Path) -> None:
        import polars as pl

        for case in ("samples", "source", "join"):
            shutil.copytree(shared / "in", folder / case / "in")
            sites = "".join(f"p{number},s{number % 2}\n" for number in range(8))
            (folder / case / "sites.csv").write_text("person,site\n" + sites, encoding="utf-8")
        table = pl.read_parquet(shared / "samples.parquet")
        if suffix == ".parquet":  # with the metadata of its scan
            shutil.copy(shared / "samples.parquet", folder / "samples" / "target.parquet")
            shutil.copy(shared / "samples.parquet.json", folder / "samples" / "target.parquet.json")
        else:
            _write(table, folder / "samples" / f"target{suffix}")
        source = table.select("path", "person", "class", "age", pl.col("path").str.slice(3).alias("note"))
        _write(source, folder / "source" / f"target{suffix}")
        _write(pl.read_csv(shared / "labels.csv", try_parse_dates=True), folder / "join" / f"target{suffix}")

    return make


def _write(table: pl.DataFrame, path: Path) -> None:
    {".csv": table.write_csv, ".xlsx": table.write_excel, ".parquet": table.write_parquet}[path.suffix](path)


def _plans(suffix: str) -> tuple[Plan, ...]:
    target = f"target{suffix}"
    lines = (
        ("samples", 4, f"medical pairs {target} --rule same('person') --label class"),
        ("samples", 1, f"splits audit {target} --split split --group person"),
        ("samples", 1, f"medical embed {{base}}/run {target} -o embeddings.parquet"),
        ("samples", 1, f"medical pretrain {target} --out run --rule same('person') --dry-run {SMALL}"),
        ("samples", 1, f"tables describe {target}"),
        ("samples", 1, f"tables filter {target} --where age>=30 -o kept.parquet"),
        ("samples", 1, f"tables unite {target} --ids person:p1=p0 -o united.parquet"),
        ("samples", 1, f"tables join {target} sites.csv --on person -o joined.parquet"),
        ("source", 4, f"medical scan {target} -o out.parquet"),
        ("join", 4, f"medical scan in -o out.parquet --join {target} --on file --split-by person"),
    )
    return tuple(Plan((Command(words),), weight, case) for case, weight, words in lines)


def make_edges(folder: Path, shared: Path) -> None:
    """Pairs of samples that belong together, with a grade, as CSV, TSV and Parquet."""
    import polars as pl

    samples = pl.read_parquet(shared / "samples.parquet")["sample"].to_list()
    edges = pl.DataFrame({"a": samples[:-1], "b": samples[1:], "grade": [1 + i % 3 for i in range(len(samples) - 1)]})
    for case, suffix in (("csv", ".csv"), ("tsv", ".tsv"), ("parquet", ".parquet")):
        (folder / case).mkdir()
        shutil.copy(shared / "samples.parquet", folder / case)
        target = folder / case / f"edges{suffix}"
        edges.write_parquet(target) if suffix == ".parquet" else edges.write_csv(
            target, separator="\t" if suffix == ".tsv" else ","
        )


def _edge_plans() -> tuple[Plan, ...]:
    return tuple(
        Plan((Command(f"medical pairs samples.parquet --rule linked('edges.{case}'{grade})"),), 1, case)
        for case in ("csv", "tsv", "parquet")
        for grade in ("", ",grade='grade'")
    )


_DAMAGE = {
    "csv": (*RAW, *TEXT, *(csv_frame,) * 10),
    "xlsx": (*ZIP, *(xlsx_frame,) * 12),
    "parquet": (*RAW, *(parquet_frame,) * 15, *(parquet_metadata,) * 6),
}

_SIDECAR = tuple(plan for plan in _plans(".parquet") if plan.case == "samples")

KINDS = (
    *(Kind(name, _make(f".{name}"), (f"target.{name}",), _DAMAGE[name], _plans(f".{name}")) for name in _DAMAGE),
    Kind("sidecar", _make(".parquet"), ("target.parquet.json",), (*RAW, *TEXT, *JSON * 4), _SIDECAR, whole=True),
    Kind("edges", make_edges, ("edges.*",), (*RAW, *TEXT, *(csv_frame, parquet_frame) * 10), _edge_plans()),
)
