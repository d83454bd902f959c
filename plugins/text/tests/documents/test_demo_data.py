"""The demonstration data: faults, wordings, copies, judgements, and everything that is planted."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.testing import check_domain
from ssl_domains_text.documents.demo import write_demo_data
from ssl_domains_text.documents.demo.tickets import (
    CUSTOMER,
    ENGINEER,
    FAULTS,
    HELD_OUT,
    MIXED,
    QUERIES,
    TICKETS,
    draw_faults,
)
from ssl_domains_text.documents.demo.wording import COMPONENTS, SYMPTOMS, TOPICS, part, symptom
from ssl_domains_text.documents.domain import TEXT
from ssl_domains_text.documents.search.analysis import Analysis

from .scanned import note, problems, scan


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo data")
    assert "ssl-domains text scan" in write_demo_data(out, 0)
    return out


def terms(wordings: tuple[str, ...]) -> set[str]:
    return {term for one in wordings for term in Analysis().terms(one)}


def test_every_concept_has_words_of_its_own() -> None:
    concepts = [
        *TOPICS,
        *(part(topic, number) for topic in range(len(TOPICS)) for number in range(COMPONENTS)),
        *(symptom(topic, number) for topic in range(len(TOPICS)) for number in range(SYMPTOMS)),
    ]
    assert (len(TOPICS), COMPONENTS, SYMPTOMS) == (12, 4, 10)
    assert all(len(customer) == len(engineer) == 4 for customer, engineer in concepts)
    wordings = [words for concept in concepts for side in concept for words in side]
    assert len(wordings) == len(set(wordings)) == 8 * len(concepts)
    for customer, engineer in concepts:
        assert all(terms((one,)) for one in (*customer, *engineer)), "a search by words can find each wording"
        assert terms(customer) & terms(engineer) <= {"door", "laundri", "washer"}, (
            "and hardly one by the words of the other side"
        )


def test_faults_and_tickets() -> None:
    faults = draw_faults(0)
    assert len(faults) == FAULTS == 120
    assert sum(fault.held_out for fault in faults) == HELD_OUT == 24
    assert len({(fault.topic, fault.component, fault.symptom) for fault in faults}) == FAULTS
    tickets = [ticket for fault in faults for ticket in fault.tickets]
    assert len(tickets) == FAULTS * TICKETS == FAULTS * QUERIES == 1920
    share = {name: sum(one.wording == name for one in tickets) / 1920 for name in (CUSTOMER, ENGINEER, MIXED)}
    assert share == {
        CUSTOMER: pytest.approx(0.455, abs=0.02),
        ENGINEER: pytest.approx(0.455, abs=0.02),
        MIXED: pytest.approx(0.09, abs=0.02),
    }
    assert 0.05 < sum(ticket.copy_of is not None for ticket in tickets) / len(tickets) < 0.12
    texts = {ticket.id: (ticket.title, ticket.text) for ticket in tickets}
    for ticket in tickets:
        if ticket.copy_of is not None:
            title, text = texts[ticket.copy_of]
            assert ticket.title == title
            assert ticket.text.startswith(f"{text}, ")


def test_queries_and_clicked_tickets_are_worded_by_customers() -> None:
    for fault in draw_faults(1):
        concepts = (part(fault.topic, fault.component), TOPICS[fault.topic], symptom(fault.topic, fault.symptom))
        of_customers = {
            f"{broken} of my {device} {how}" for broken, device, how in product(*(one[0] for one in concepts))
        }
        assert {text for _, text in fault.queries} <= of_customers
        customers = {one.id: one for one in fault.tickets if one.wording == CUSTOMER}
        assert set(fault.clicked) <= set(customers)
        assert {one.title for one in customers.values()} <= of_customers


def test_judgements_and_duplicates(folder: Path) -> None:
    train = pl.read_csv(folder / "tickets/qrels/train.tsv", separator="\t")
    test = pl.read_csv(folder / "tickets/qrels/test.tsv", separator="\t")
    assert len(train) == train["query-id"].n_unique() == (FAULTS - HELD_OUT) * QUERIES
    assert len(test) == HELD_OUT * QUERIES * TICKETS + 1
    links = pl.read_csv(folder / "tickets/duplicates.tsv", separator="\t")
    copies = {ticket.id for fault in draw_faults(0) for ticket in fault.tickets if ticket.copy_of is not None}
    assert not copies & {*links["id"], *links["duplicate_of"]}
    assert (links["id"].str.slice(0, 4) == links["duplicate_of"].str.slice(0, 4)).all()


def test_a_scan_finds_what_is_planted(folder: Path, tmp_path: Path) -> None:
    scanned = scan(folder / "tickets", tmp_path)
    assert list(problems(scanned).values()) == ["the document 't-empty' is empty"]
    assert "1 query is a document too, 1 under the same id" in note(scanned, "is a document too")
    assert "1 of 7,681 positives are missing in the collection, such as 't-gone'" in note(scanned, "are missing")
    assert "1,536 train, 384 test" in note(scanned, "queries by the names of files")


def test_the_domain_keeps_its_contract(tmp_path: Path) -> None:
    table = check_domain(TEXT, tmp_path)
    assert set(table.frame["side"].unique()) == {"query", "document"}


def test_facts_join_by_id(folder: Path) -> None:
    facts = pl.read_csv(folder / "facts.csv")
    assert facts["id"].is_unique().all()
    counts = dict(facts["wording"].value_counts().iter_rows())
    assert sum(counts.values()) == 2 * 1920
    assert counts["customer"] == 1920 + sum(one.wording == CUSTOMER for f in draw_faults(0) for one in f.tickets)
    corpus = [json.loads(line) for line in (folder / "tickets/corpus.jsonl").read_text().splitlines()]
    assert len({entry["_id"] for entry in corpus} - set(facts["id"])) == 1  # the empty one
