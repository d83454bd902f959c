"""What the pages of a study say, whichever way it went."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

import made_up_study
from ssl_domains.errors import UsageError
from ssl_domains.studies.evidence import findings as findings_module
from ssl_domains.studies.evidence.estimate import score_of
from ssl_domains.studies.evidence.result import Score, StudyResult
from ssl_domains.studies.evidence.sums import Evidence
from ssl_domains.studies.page.figures import kept_and_lost
from ssl_domains.studies.page.page import plain, write_result_page
from ssl_domains.studies.page.report import summary, write_study_report
from ssl_domains.studies.page.tables import table_title
from ssl_domains.studies.page.verdict import verdict


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return made_up_study.made_up()


@pytest.fixture(scope="module")
def report(result: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = write_study_report(result, tmp_path_factory.mktemp("report") / "report.html")
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(result: StudyResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_result_page(result, tmp_path_factory.mktemp("page") / "results")


class Words(HTMLParser):
    """The words outside styles and figures."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in ("style", "svg"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and tag == self.inside[-1]:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.words.append(data)


def words(report: str) -> str:
    reader = Words()
    reader.feed(report)
    return " ".join(" ".join(reader.words).split())


def test_every_arm_control_and_floor_is_in_the_table_with_its_scores(result: StudyResult, report: str) -> None:
    table = report[report.index('class="scores"') : report.index("Intervals:")]
    for arm in result.arms:
        row = table[table.index(f"<b>{html.escape(arm.name)}</b>") :]
        row = row[: row.index("</tr>")]
        for probe in ("linear", "knn"):
            for fraction in result.fractions:
                score = result.score(arm.name, probe, fraction)
                assert score is not None
                assert f"<b>{score_of(score.evidence[result.measure]):.3f}</b>" in row
        assert len(re.findall(r"<small>0\.\d{3}\u00a0to\u00a00\.\d{3}</small>", row)) == 4
    assert [table.index(f">{band}<") for band in ("Arms", "Controls", "Floors")] == sorted(
        table.index(f">{band}<") for band in ("Arms", "Controls", "Floors")
    )


def test_an_arm_that_read_labels_says_how_many(report: str) -> None:
    said = words(report)
    assert said.count("supervised contrastive, 150/1,500 labels") == 1
    assert "class is supervised contrastive: its rule read 150 labels: class − simclr" in said


def test_the_primary_contrast_leads_and_names_its_interval(report: str) -> None:
    said = words(report)
    assert said.index("The primary contrast, named before running") < said.index("Every arm, control and floor")
    assert "neighbours beats simclr." in said
    assert "two-way random effects over 40 groups × 5 seeds, t with " in said


def test_what_is_undefined_is_said_and_no_nan_is_printed(result: StudyResult, tmp_path: Path) -> None:
    evidence = result.scores[0].evidence
    empty = {name: replace(one, sums=np.zeros_like(one.sums)) for name, one in evidence.items()}
    holed = replace(result, scores=(replace(result.scores[0], evidence=empty), *result.scores[1:]))
    report = write_study_report(holed, tmp_path / "report.html").read_text(encoding="utf-8")
    said = words(report)
    assert "undefined" in said  # the AUROC of the random arm
    assert "balanced accuracy is undefined over these groups" in said
    markdown = write_result_page(holed, tmp_path).read_text(encoding="utf-8")
    for text in (said, markdown, *(part for part in re.findall(r"<svg.*?</svg>", report, re.DOTALL))):
        assert not re.search(r"\b(nan|none|inf)\b", text, re.IGNORECASE)


def test_a_study_of_few_groups_shows_every_group_but_names_none(tmp_path: Path) -> None:
    result = made_up_study.made_up(6, 5)
    said = words(write_study_report(result, tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "two-way random effects over 6 groups × 5 seeds" in said
    assert "Every group's difference" in said
    assert "no. 6" in said
    assert "volume 3" not in said
    markdown = write_result_page(result, tmp_path).read_text(encoding="utf-8")
    assert "| no. 6 |" in markdown
    assert "volume 3" not in markdown


def test_groups_are_not_listed_when_they_are_many(report: str, page: Path) -> None:
    assert "Every group's difference" not in report
    assert "Every group" not in page.read_text(encoding="utf-8")


def test_transductive_is_in_every_title(tmp_path: Path) -> None:
    result = made_up_study.made_up(6, 5, transductive=True)
    report = write_study_report(result, tmp_path / "report.html").read_text(encoding="utf-8")
    title = "Slice class of a made-up hippocampus · transductive"
    assert f"<h1>{title}</h1>" in report
    assert f"<title>{title} · ssl-domains</title>" in report
    assert "95 % interval · transductive" in words(report)
    markdown = write_result_page(result, tmp_path).read_text(encoding="utf-8")
    assert markdown.startswith(f"# {title}\n")
    assert "95 % interval · transductive" in markdown
    assert summary(result).title.endswith("· transductive")


def test_words_of_a_study_can_not_break_the_page(result: StudyResult, tmp_path: Path) -> None:
    wild = "</style><script>alert(1)</script> a|b *c* `d` [e](f) <img src=x>"
    arms = tuple(replace(arm, name=f"{arm.name} {wild}", about=wild) for arm in result.arms)
    scores = tuple(replace(one, arm=f"{one.arm} {wild}") for one in result.scores)
    specs = [replace(one, a=f"{one.a} {wild}", b=f"{one.b} {wild}") for one in (result.primary, *result.secondary)]
    broken = replace(
        result, title=wild, about=wild, arms=arms, scores=scores, primary=specs[0], secondary=tuple(specs[1:]),
        notes=(wild,), command=wild,
    )  # fmt: skip
    report = write_study_report(broken, tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<script" not in report
    assert "<img" not in report
    assert wild in words(report)
    markdown = write_result_page(broken, tmp_path).read_text(encoding="utf-8")
    outside = re.sub(r"```console\n.*?```", "", markdown, flags=re.DOTALL)
    assert not re.search(r"<\w|</", outside)
    widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table_of(outside, "| arm |")}
    assert len(widths) == 1


def table_of(markdown: str, head: str) -> list[str]:
    return next(block.splitlines() for block in markdown.split("\n\n") if block.startswith(head))


def test_the_page_is_one_and_asks_for_nothing(report: str) -> None:
    assert "<script" not in report
    assert not re.findall(r"""(?:src|href)=["'](?!#|data:)""", report)
    assert "url(" not in report
    assert "http" not in report.replace("http-equiv", "")


def test_the_markdown_has_everything_once_and_its_figures_beside_it(result: StudyResult, page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert page.name == "made-up.md"
    assert f"```console\n{result.command}\n```" in text
    assert "**neighbours beats simclr.**" in text
    rows = table_of(text, "| arm |")
    assert len(rows) == 2 + len(result.arms)
    assert any(row.startswith("| **neighbours** | arms | 0.") for row in rows)
    assert any(row.startswith("| class (supervised contrastive, 150/1,500 labels) | arms |") for row in rows)
    assert len(table_of(text, "| contrast |")) == 2 + len(result.secondary)
    for figure in re.findall(r"\]\(([^)]+\.svg)\)", text):
        assert (page.parent / figure).is_file()
    assert sorted(path.name for path in page.parent.iterdir()) == [
        "made-up-curves.svg", "made-up-differences.svg", "made-up.md",
    ]  # fmt: skip
    for heading in ("Nuisance probes", "What the pairs tell", "Arms", "Notes"):
        assert f"\n## {heading}\n" in text


def test_report_and_page_draw_their_conclusions_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = made_up_study.made_up(6, 5)
    asked = []
    kept = findings_module.contrasts
    monkeypatch.setattr(findings_module, "contrasts", lambda *a, **k: asked.append(1) or kept(*a, **k))
    write_study_report(result, tmp_path / "report.html")
    write_result_page(result, tmp_path)
    summary(result)
    assert asked == [1]


def disagreeing(seeds: int) -> StudyResult:
    """A study of 6 groups whose primary difference is + with some seeds and − with others, alike in every group."""
    result = made_up_study.made_up(6, seeds)
    rng = np.random.default_rng(0)
    by_seed = np.array([0.09, -0.02, 0.05, -0.01, 0.08])[:seeds]
    scores: list[Score] = []
    for one in result.scores:
        right = 0.5 + (by_seed[:, None] if one.arm == "neighbours" else 0.0) + 0.002 * rng.normal(size=(seeds, 6))
        wrong = (1 - right) / 3
        each = np.where(np.eye(4, dtype=bool)[None, None], right[..., None, None], wrong[..., None, None])
        sums = np.round(1000 * each).reshape(seeds, 6, 16)
        evidence = {n: Evidence(e.measure, sums, e.groups, e.seeds) for n, e in one.evidence.items()}
        scores.append(replace(one, evidence=evidence))
    return replace(result, scores=tuple(scores))


@pytest.mark.parametrize("seeds", [2, 3, 4, 5])
def test_seeds_that_disagree_in_sign_make_no_claim_on_any_page(seeds: int, tmp_path: Path) -> None:
    result = disagreeing(seeds)
    sides = [result.score(arm, "linear", 0.1) for arm in ("neighbours", "simclr")]
    values = [one.evidence["balanced accuracy"].measure.value(one.evidence["balanced accuracy"].sums) for one in sides]
    by_group = (values[0] - values[1]).mean(axis=0)
    assert stats.ttest_1samp(by_group, 0.0).pvalue < 1e-5, "a t test over groups alone would be certain"
    report = words(write_study_report(result, tmp_path / "report.html").read_text(encoding="utf-8"))
    markdown = write_result_page(result, tmp_path).read_text(encoding="utf-8")
    terminal = "\n".join(summary(result).lines)
    for text in (report, markdown, terminal):
        assert " beats " not in text
        assert " loses to " not in text
        assert "is better" not in text.replace("first is better →", "").replace("← second is better", "")
        assert "p < 0.001" not in text
        if seeds < 4:
            assert not re.search(r"\bp (=|<|&lt;)", text)
            assert "No claim is made about neighbours and simclr" in text
    figures = "".join(path.read_text(encoding="utf-8") for path in tmp_path.glob("*.svg"))
    assert bool(re.search(r", p( \(Holm\))? ", figures)) == (seeds >= 4)


def test_two_seeds_stand_without_intervals(tmp_path: Path) -> None:
    result = made_up_study.made_up(40, 2)
    markdown = write_result_page(result, tmp_path).read_text(encoding="utf-8")
    assert "mean over 2 seeds, without intervals" in markdown
    assert "Intervals: no interval: it needs 3 seeds, and there are 2." in markdown
    assert "95 % interval" not in markdown.replace("| 95 % interval |", "")
    figure = (tmp_path / "made-up-differences.svg").read_text(encoding="utf-8")
    assert "95 % interval" not in figure
    assert 'class="span' not in figure


def test_a_title_begins_with_the_measure_as_it_is_written(result: StudyResult) -> None:
    assert table_title(result).startswith("Balanced accuracy of ")
    assert table_title(replace(result, measure="nDCG@10")).startswith("nDCG@10 of ")


def test_a_margin_has_a_column_and_is_said(result: StudyResult, tmp_path: Path) -> None:
    with_margin = replace(result, margin=0.02)
    markdown = write_result_page(with_margin, tmp_path).read_text(encoding="utf-8")
    rows = table_of(markdown, "| contrast |")
    assert rows[0].endswith("| margin 0.02 |")
    assert {row.split("|")[-2].strip() for row in rows[2:]} <= {"beyond", "within", "neither"}
    assert "*Margin*: the 95 % interval" in markdown
    report = words(write_study_report(with_margin, tmp_path / "report.html").read_text(encoding="utf-8"))
    assert "margin 0.02" in report
    assert "the smallest difference that matters in practice." in report
    assert "argin" not in words(write_study_report(result, tmp_path / "other.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("high", "detectable", "said"), [(0.05, 0.04, True), (0.05, 0.015, False), (0.019, 0.04, False)]
)
def test_what_the_study_cannot_tell_is_said(result: StudyResult, high: float, detectable: float, said: bool) -> None:
    row = findings_module.findings(result).primary
    assert row.found is not None
    interval = replace(row.found.interval, low=-0.01, high=high, detectable=detectable)
    row = replace(row, found=replace(row.found, interval=interval))
    sentence = verdict(replace(result, margin=0.02), row).sentence
    assert ("This study cannot tell a difference of that size." in sentence) == said


def test_a_terminal_sees_the_same_table(result: StudyResult) -> None:
    said = summary(result)
    assert said.header == ("arm", "linear, 10\u00a0%", "linear, 100\u00a0%", "knn, 10\u00a0%", "knn, 100\u00a0%")
    assert len(said.rows) == len(result.arms)
    assert all(len(row) == len(said.header) for row in said.rows)
    assert said.lines[0].startswith("neighbours beats simclr. With labels of")
    assert any(line.startswith("volume − simclr (linear, 10\u00a0%): −0.") for line in said.lines)


def test_a_place_that_cannot_be_written_is_said_in_a_line(result: StudyResult, tmp_path: Path) -> None:
    assert write_study_report(result, tmp_path / "absent" / "report.html").is_file()
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="can't be written"):
        write_study_report(result, tmp_path / "file" / "report.html")
    with pytest.raises(UsageError, match=r"'.*file.*' can't be written|is a file"):
        write_result_page(result, tmp_path / "file")


def test_plain_words_are_not_markdown() -> None:
    assert plain("a_b *c* <d> | `e`\nf") == r"a\_b \*c\* &lt;d&gt; \| \`e\` f"


def test_label_beside_nuisance_is_drawn_where_the_study_asks(result: StudyResult, tmp_path: Path) -> None:
    column = result.nuisance[0].column
    asked = replace(result, kept_beside=column)
    for one, there in ((asked, True), (result, False)):
        folder = tmp_path / str(there)
        page = write_result_page(one, folder).read_text(encoding="utf-8")
        report = write_study_report(one, folder / "report.html").read_text(encoding="utf-8")
        assert ("## Kept and lost" in page) == there == (folder / f"{result.name}-kept.svg").exists()
        assert ('id="kept"' in report) == there
    figure = (tmp_path / "True" / f"{result.name}-kept.svg").read_text(encoding="utf-8")
    value = next(row.value for row in result.nuisance if row.column == column and row.arm == "simclr")
    assert f", {value:.3f}</title>" in figure
    assert "simclr: " in figure
    again = StudyResult.from_dict(asked.to_dict())
    assert again.kept_beside == column


def test_a_column_that_was_split_within_groups_is_drawn_too(result: StudyResult) -> None:
    column = result.nuisance[0].column
    split = tuple(
        replace(row, column=f"{column} (split within groups)") if row.column == column else row
        for row in result.nuisance
    )
    asked = replace(result, kept_beside=column, nuisance=split)
    points = kept_and_lost(asked, findings_module.findings(asked)).points
    assert [point.x for point in points] == [row.value for row in result.nuisance if row.column == column]
    other = replace(asked, kept_beside=column[:-1])
    assert not kept_and_lost(other, findings_module.findings(other)).points
