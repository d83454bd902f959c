from __future__ import annotations

import json
import re
from typing import Any

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.evaluation import read_probe_reports
from ssl_domains.reports import write_report


@pytest.fixture(scope="module")
def page(world: Any) -> str:
    return write_report(world.run).read_text(encoding="utf-8")


def test_it_says_what_was_trained_on_what(page: str) -> None:
    assert "small_conv trained with simclr on 90 samples" in page
    assert "0.5*same(&#39;kind&#39;) + 0.5*same(&#39;patient&#39;)" in page
    assert "bars have no left and right" in page
    assert "groups of 2" in page or "random" in page


def test_every_number_of_the_probe_is_there_beside_the_warning(world: Any, page: str) -> None:
    (probe,) = read_probe_reports(world.run.folder)
    for row in probe.table():
        for heading in probe.headings:
            assert row[heading].replace("<", "&lt;") in page
    assert "not evidence" in page
    assert "random initialisation" in page
    assert "position alone (place)" in page
    assert "read 90 of these labels" in page


def test_curves_are_those_of_the_metrics(world: Any, page: str) -> None:
    from html import unescape

    charts = re.findall(r'aria-label="([^"]*)" data-series="([^"]*)"', page)
    drawn = {unescape(title): json.loads(unescape(data)) for title, data in charts}
    loss = drawn["Loss"][0]["points"]
    assert [(x, y) for x, y, *_ in loss] == [(row["step"], row["loss"]) for row in world.run.metrics()]
    wanted = {"Standard deviation", "Effective rank", "Alignment", "Uniformity", "Samples per second", "Data wait"}
    assert wanted <= set(drawn)


def test_it_asks_the_network_for_nothing_and_is_small(page: str) -> None:
    links = re.findall(r"""(?:src|href)=["']([^"']*)""", page) + re.findall(r"""url\(["']?([^"')]*)""", page)
    assert all(link.startswith(("#", "data:")) for link in links)
    assert "http://" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "https://" not in page
    assert len(page.encode()) < 6e6


def test_no_path_and_no_identifier(world: Any, page: str) -> None:
    assert str(world.samples.parent) not in page
    assert "Miller" not in page
    assert "g00-0" in page  # the sample id is what a report may show


def test_text_of_the_table_cannot_become_markup(page: str) -> None:
    assert "<b>&</b>" not in page
    assert "along \\u003cb\\u003e\\u0026\\u003c/b\\u003e" in page


def test_transductive_is_said(copy_run: Any) -> None:
    run = copy_run()
    path = run.folder / "probe-kind.json"
    stored = json.loads(path.read_text())
    path.write_text(json.dumps({**stored, "transductive": "3 of 3 test groups were pre-trained on"}))
    assert "Transductive:</b> 3 of 3 test groups" in write_report(run, projection="pca").read_text()


def test_without_samples_the_map_is_left_out_and_said(copy_run: Any) -> None:
    run = copy_run()
    text = (run.folder / "config.toml").read_text()
    (run.folder / "config.toml").write_text(re.sub(r'samples = ".*"', 'samples = "/private/home/gone.parquet"', text))
    (run.folder / "probe-kind.json").unlink()
    page = write_report(run).read_text()
    assert "no longer where it was" in page
    assert "/private" not in page
    assert "None yet" in page
    assert 'id="points"' not in page


def test_another_column_and_a_slip(world: Any, copy_run: Any) -> None:
    run = copy_run()
    assert ">place</option>" in write_report(run, columns=["place"], projection="pca").read_text()
    with pytest.raises(UsageError, match="no column 'plaice'"):
        write_report(run, columns=["plaice"])


def test_initial_weights_have_no_curves(copy_run: Any) -> None:
    run = copy_run()
    (run.folder / "metrics.jsonl").write_text("")
    assert "No step was taken" in write_report(run, projection="pca").read_text()


def test_a_collapse_is_on_the_first_screen(copy_run: Any) -> None:
    run = copy_run()
    rows = run.metrics()
    rows[-1]["warning"] = "the embedding is collapsing"
    (run.folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert f'class="warning">step {rows[-1]["step"]}: the embedding is collapsing' in write_report(run).read_text()


def test_a_store_of_other_files_leaves_the_map_out_and_says_so(copy_run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import ssl_domains.reports.report as module
    from ssl_domains.errors import DataError

    def lacking(*given: Any, **options: Any) -> None:
        raise DataError("store samples.store lacks 16 rows of the table", "fill it again")

    monkeypatch.setattr(module, "embedding_map", lacking)
    page = write_report(copy_run(), projection="pca").read_text()
    assert "store samples.store lacks 16 rows of the table" in page
    assert 'id="points"' not in page


def test_neighbours_can_be_heard_where_the_domain_has_sounds(world: Any, page: str) -> None:
    assert "<audio" not in page
    heard = write_report(world.run, sound=lambda array, row: b"RIFF" + bytes(20)).read_text(encoding="utf-8")
    buttons = re.findall(r'<button class="play".*?</button>', heard, flags=re.S)
    strips = heard.count('class="strip"')
    assert strips == 8
    assert len(buttons) == strips * 8, "a query and seven neighbours each"
    assert all("data:audio/wav;base64," in button for button in buttons)
    assert "Click one to hear it." in heard
    assert 'querySelectorAll("button.play > audio")' in heard


def test_captions_stand_under_neighbours(world: Any, page: str) -> None:
    assert "captioned" not in page.partition("</style>")[2]
    made = write_report(world.run, caption="kind").read_text(encoding="utf-8").partition("</style>")[2]
    texts = re.findall(r'<small dir="auto">(.*?)</small>', made)
    assert len(texts) == 64
    assert set(texts) == {"across", "along &lt;b&gt;&amp;&lt;/b&gt;"}
