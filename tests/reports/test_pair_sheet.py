"""The page on pairs: what it says, what it never says, and what it looks at."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from markupsafe import Markup

from ssl_domains.engine import load_config
from ssl_domains.engine.loop.pair_plan import PairPlan, plan_pairs
from ssl_domains.errors import UsageError
from ssl_domains.pairs import Composition, parse
from ssl_domains.pairs.inspection.advice import advise
from ssl_domains.reports.pair_sheet import Pictured, write_pair_sheet
from ssl_domains.samples import ReadError, SampleTable, ScanResult, TableMeta
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Scaling

ROWS = 96


@dataclass
class GradientReader:
    """Pictures that change slowly with the row; one of them is broken."""

    version: str = "1"
    broken: int = -1
    loaded: list[str] = field(default_factory=list)

    def scan(self, source: Path, **options: Any) -> ScanResult:
        raise AssertionError("the table is made by hand")

    def load(self, row: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        number = int(row["sample"][1:])
        self.loaded.append(row["sample"])
        if number == self.broken:
            raise ReadError(f"no end mark in {row['path']}, or in /archive/Miller/other.png")
        y, x = np.mgrid[:20, :24]
        return (np.sin(x / 6 + number / 9) * 60 + np.cos(y / 5) * 60 + 120).astype(np.uint8)[:, :, None]


def table() -> SampleTable:
    numbers = range(ROWS)
    frame = pl.DataFrame(
        {
            "sample": [f"s{k}" for k in numbers],
            "path": [f"/archive/Miller-{k}.png" for k in numbers],
            "patient": [f"Miller-{k // 4}" for k in numbers],
            "case": [f"Case-{k // 3}" for k in numbers],
            "place": [float(k % 12) for k in numbers],
            "kind": [("sick <b>&</b>", "well")[k % 2] for k in numbers],
            "alone": [f"a{k}" for k in numbers],
        }
    )
    return SampleTable(frame, TableMeta(identifiers=("patient",)))


def planned(rule: str, *, composition: Composition | None = None, batch: int = 48, rows: Any = None) -> PairPlan:
    config = load_config(sets=[f"train.batch_size={batch}"])
    return plan_pairs(config, table() if rows is None else rows, parse(rule), composition or Composition())


def sheet(
    path: Path, rule: str, *, label: str | None = "kind", reader: Any = None, pictured: Any = None, **options: Any
) -> str:
    plan = planned(rule, **{name: options.pop(name) for name in ("composition", "batch", "rows") if name in options})
    shown = pictured or Pictured(reader or GradientReader(), Scaling())
    advice = advise(plan.table, plan.composed_by, plan.sampler, label=label)
    report = plan.inspect(label, ("place",))
    return write_pair_sheet(path / "sheet.html", plan, report, shown, advice=advice, **options).read_text("utf-8")


def words(page: str) -> str:
    """The text of a page, as it is read."""
    body = re.sub(r"<(style|svg)\b.*?</\1>", " ", page, flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


RULE = "(same('patient') & within('place', 1)).ignore(same('patient'))"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    return sheet(tmp_path_factory.mktemp("sheet"), RULE)


def test_it_says_what_the_rule_does_and_why_each_pair_is_what_it_is(page: str) -> None:
    text = words(page)
    assert "Positives: same patient and place at most 1 apart. Ignored: same patient" in text
    assert re.search(r"same patient [A-Z]+, place \d+ and \d+: 1 apart, within 1", text)
    assert re.search(r"ignored: same patient [A-Z]+; place \d+ and \d+: [23] apart, not within 1", text)
    assert re.search(r"no: other patient \([A-Z]+, [A-Z]+\)", text)
    assert "false negative" in text
    assert "alike 0." in text


def test_numbers_are_those_of_the_report(page: str) -> None:
    text = words(page)
    for what, value in planned(RULE).inspect("kind", ("place",)).rows():
        assert what.strip() in text
        assert " ".join(value.split()) in text


def test_every_section_is_there(page: str) -> None:
    headings = re.findall(r"<h2>([^<]+)", page)
    assert headings == [
        "Pairs of one planned batch", "What positives share", "Groups", "What batch size and composition would give",
        "All numbers",
    ]  # fmt: skip
    assert page.count("<article") == 12
    assert "The rule has no groups" in page
    assert "these positives are" in page or "positives share" in page
    assert planned(RULE).sampler.batch_size == 48
    assert "48 draw of 2 (planned)" in words(page)


def test_no_identifier_no_path_and_nothing_unescaped(page: str) -> None:
    assert "Miller" not in page
    assert "archive" not in page
    assert "<b>&</b>" not in page
    assert "sick &lt;b&gt;&amp;&lt;/b&gt;" in page


def test_it_asks_the_network_for_nothing_and_is_small(page: str) -> None:
    links = re.findall(r"""(?:src|href)=["']([^"']*)""", page) + re.findall(r"""url\(["']?([^"')]*)""", page)
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert "<script" not in page
    assert len(page) < 1_000_000


def test_twice_the_same(page: str, tmp_path: Path) -> None:
    assert sheet(tmp_path, RULE) == page


def test_letters_hide_who_many_values_name_and_columns_asked_for(tmp_path: Path) -> None:
    page = sheet(tmp_path, "same('case') | same('kind')", hidden=("kind",), label=None)
    assert "Case-" not in page
    assert "sick" not in page
    text = words(page)
    assert "same kind A" in text
    assert "Values of case , kind are printed as letters" in text


def test_only_what_is_looked_at_is_decoded(tmp_path: Path) -> None:
    reader = GradientReader()
    sheet(tmp_path, "same('kind')", reader=reader, batch=16, anchors=3)
    batch = set(planned("same('kind')", batch=16).sampler.plan(0)[0].tolist())
    assert sorted(reader.loaded) == sorted(f"s{k}" for k in batch)


def test_large_samples_are_decoded_as_far_as_there_is_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ssl_domains.reports import sample_pictures

    monkeypatch.setattr(sample_pictures, "_BYTES", 30 * 20 * 24 * 8)
    reader = GradientReader()
    text = words(sheet(tmp_path, "same('kind')", reader=reader, batch=96, anchors=4))
    assert len(set(reader.loaded)) == 30
    assert "the most similar of" in text
    assert re.search(r"the most similar of \d+ of 48", text)


def test_a_store_is_used_where_it_holds_the_rows(tmp_path: Path) -> None:
    reader = GradientReader()
    store = ArrayStore.fill(tmp_path / "store", table(), reader)
    reader.loaded.clear()
    page = sheet(tmp_path, "same('kind')", pictured=Pictured(reader, Scaling(), store=store))
    assert not reader.loaded
    assert page.count("<img ") > 80
    part = ArrayStore.fill(tmp_path / "part", table().take(range(5)), reader)
    reader.loaded.clear()
    assert sheet(tmp_path, "same('kind')", pictured=Pictured(reader, Scaling(), store=part)).count("<img ") > 80
    assert reader.loaded


def test_a_broken_sample_shows_its_cause_without_a_path(tmp_path: Path) -> None:
    anchor = int(planned("same('kind')", batch=16).sampler.plan(0)[0][0])
    page = sheet(tmp_path, "same('kind')", reader=GradientReader(broken=anchor), batch=16, anchors=16)
    assert "no picture: no end mark in the file, or in …" in words(page)
    assert "Miller" not in page


def test_pairs_that_are_refused_are_shown_all_the_same(tmp_path: Path) -> None:
    text = words(sheet(tmp_path, "same('alone')"))
    assert "Refused: column 'alone' is all unique" in text
    assert "none in this batch: its positives are its own views alone" in text
    assert "No sample matches another under this rule" in text


@pytest.mark.parametrize(
    "rule", ["none", "overlap('tags')", "0.5*same('kind') + 0.5*within('place', 2)", "~same('kind')"]
)
def test_any_rule_has_a_page(tmp_path: Path, rule: str) -> None:
    rows = table().with_columns(tags=[["a", "b"] if k % 3 else ["c"] for k in range(ROWS)])
    text = words(sheet(tmp_path, rule, rows=rows))
    assert ("shares tags c" in text) == rule.startswith("overlap")
    assert ("no relation: only own views are positives" in text) == (rule == "none")


def test_partners_stand_first_and_are_called_so(tmp_path: Path) -> None:
    page = sheet(tmp_path, "same('patient')", composition=Composition("partner"), batch=24)
    assert "drawn partner" in page
    assert "24 of" not in words(page).split("Composition")[0].split("Batches an epoch")[0]
    plan = planned("same('patient')", composition=Composition("partner"), batch=24)
    assert f"{len(plan.sampler)} of 24" in words(page)


def test_text_and_markup_of_a_domain_without_pictures(tmp_path: Path) -> None:
    text = Pictured(GradientReader(), Scaling(), thumbnail=lambda array, row: f"<i>{row['sample']}</i> heard")
    page = sheet(tmp_path, "same('kind')", pictured=text, batch=16)
    assert "&lt;i&gt;s" in page
    assert "Hardest negatives" not in words(page).replace("Hardest negatives are those", "")
    drawn = Pictured(GradientReader(), Scaling(), thumbnail=lambda array, row: Markup("<svg><path d='M0 0'/></svg>"))
    assert "<svg><path d='M0 0'/></svg>" in sheet(tmp_path, "same('kind')", pictured=drawn, batch=16)


@pytest.mark.parametrize(
    ("made", "cause"),
    [
        (lambda array, row: array[:, :, 0], "its thumbnail is uint8 (20, 24), not uint8 [h, w, 1 or 3]"),
        (lambda array, row: 1 / 0, "ZeroDivisionError"),
        (lambda array, row: Markup("x" * 5000), "its thumbnail has 5,000 characters"),
    ],
)
def test_a_thumbnail_that_is_none_says_so(tmp_path: Path, made: Any, cause: str) -> None:
    text = words(sheet(tmp_path, "same('kind')", pictured=Pictured(GradientReader(), Scaling(), thumbnail=made)))
    assert f"no picture: {cause}" in text


def test_features_decide_which_negatives_are_hard(tmp_path: Path) -> None:
    def far(some: SampleTable, store: ArrayStore) -> np.ndarray[Any, Any]:
        angles = np.array([int(sample[1:]) for sample in some.frame["sample"]]) / ROWS * np.pi / 2
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    pictured = Pictured(GradientReader(), Scaling(), encode=far)
    page = sheet(tmp_path, "same('kind')", pictured=pictured, batch=96, anchors=1)
    text = words(page)
    assert "by the encoder's embedding" in text
    card = page[page.index("<article") : page.index("</article>")]
    anchor = int(re.search(r'<div class="id">s(\d+)</div>', card).group(1))  # type: ignore[union-attr]
    strip = card[card.index("Hardest negatives") :]
    shown = [int(number) for number in re.findall(r'<div class="id">s(\d+)</div>', strip)]
    others = [k for k in range(ROWS) if k % 2 != anchor % 2]
    assert sorted(shown) == sorted(sorted(others, key=lambda k: abs(k - anchor))[:5]) or len(shown) == 5
    assert max(abs(k - anchor) for k in shown) <= 7


def test_a_folder_that_is_a_file_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="can't be written"):
        sheet(tmp_path / "file", "same('kind')")


def test_a_domain_with_sounds_has_a_player_at_each_picture(tmp_path: Path) -> None:
    def sound(array: Any, row: Mapping[str, Any]) -> bytes | None:
        return None if row["sample"] == "s0" else b"RIFF" + bytes(100)

    silent = sheet(tmp_path, "same('kind')")
    assert "<audio" not in silent
    assert "<script" not in silent
    page = sheet(tmp_path, "same('kind')", pictured=Pictured(GradientReader(), Scaling(), sound=sound))
    shots = re.findall(r'<div class="shot">.*?</div>', page, flags=re.S)
    assert len(shots) > 80
    for shot in shots:
        expected = 'alt="s0"' not in shot
        assert ("data:audio/wav;base64," in shot) == expected
    assert "Click a picture to hear it." in words(page)
    assert page.count("<script>") == 1


def test_captions_stand_under_the_pictures(tmp_path: Path) -> None:
    rows = table().with_columns(text=[f"line <{k}>" if k % 2 else None for k in range(len(table()))])
    plain = sheet(tmp_path, "same('kind')", rows=rows)
    assert 'class="caption"' not in plain
    page = sheet(tmp_path, "same('kind')", rows=rows, pictured=Pictured(GradientReader(), Scaling(), caption="text"))
    found = re.findall(r'<div class="caption" dir="auto">(.*?)</div>', page)
    tiles = re.findall(r'alt="s(\d+)"', page)
    assert [unescape(one) for one in found] == [f"line <{number}>" for number in tiles if int(number) % 2]
    missing = sheet(tmp_path, "same('kind')", pictured=Pictured(GradientReader(), Scaling(), caption="absent"))
    assert 'class="caption"' not in missing
