"""Rows of a batch against a loop over processes, views, slots and parts; worlds of one and of two are made up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import torch
from torch import Tensor

from ssl_domains.engine.processes.distributed import World
from ssl_domains.engine.step import batch_rows as module
from ssl_domains.engine.step.batch_rows import BatchRows
from ssl_domains.errors import UsageError
from ssl_domains.methods import Embeddings
from ssl_domains.pairs import Rows

SLOTS, VIEWS = 6, 4
ONE_SEAT = torch.tensor([[3, 0, 9, 1, 5, 12]])
TWO_SEATS = torch.tensor([[3, 0, 9, 1, 5, 12], [0, 3, 10, 2, 6, 11]])


class Meeting:
    """Lets threads exchange values as processes do."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.values: list[Any] = [None] * size
        self.barrier = threading.Barrier(size, timeout=20)
        self.local = threading.local()

    def collect(self, value: Any) -> list[Any]:
        self.values[self.local.rank] = value
        self.barrier.wait()
        found = list(self.values)
        self.barrier.wait()
        return found

    def gather(self, x: Tensor, counts: Any) -> Tensor:
        assert [len(one) for one in self.collect(x)] == list(counts)
        return torch.cat(self.collect(x))


class MadeUpWorld(World):
    """One of the processes of a meeting."""

    def __init__(self, rank: int, meeting: Meeting) -> None:
        super().__init__(rank, meeting.size)
        self.meeting = meeting

    def collect(self, value: Any) -> list[Any]:
        return self.meeting.collect(value)

    def total(self, values: Tensor) -> Tensor:
        return torch.stack(self.meeting.collect(values)).sum(dim=0)


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """``everywhere(size, function)``: what ``function(world)`` returns in each of so many made-up processes."""

    def call(size: int, function: Callable[[World], Any]) -> list[Any]:
        meeting = Meeting(size)
        monkeypatch.setattr(module, "gather_rows", meeting.gather)

        def one(rank: int) -> Any:
            meeting.local.rank = rank
            try:
                return function(MadeUpWorld(rank, meeting))
            except Exception:
                meeting.barrier.abort()
                raise

        with ThreadPoolExecutor(size) as pool:
            return list(pool.map(one, range(size)))

    return call


def _given(rank: int, size: int, case: str) -> tuple[list[int] | None, list[int] | None]:
    """``of`` and ``part`` that a method gives in one process."""
    slots = SLOTS // size
    if case == "all":
        return None, None
    if case == "some views":
        return [v * slots + i for v in (1, 3) for i in range(slots)], None
    # Instances: the first process has up to three of a view, the last one at most two, some views have none.
    of, part = [], []
    for row in range(VIEWS * slots):
        for instance in range((row + rank) % (4 if rank == 0 else 3)):
            of.append(row)
            part.append(instance)
    return of, part


def _brute_force(seats: Tensor, size: int, case: str) -> list[tuple[int, ...]]:
    """(view, slot, part, sample, process, place in that process) of the rows of all processes, in order."""
    found, slots = [], SLOTS // size
    for rank in range(size):
        of, part = _given(rank, size, case)
        rows = list(range(VIEWS * slots)) if of is None else of
        for place, row in enumerate(rows):
            view, slot = row // slots, rank * slots + row % slots
            number = 0 if part is None else part[place]
            found.append((view, slot, number, int(seats[view % len(seats), slot]), rank, place))
    return sorted(found)


def _emitted(rank: int, size: int) -> dict[str, Tensor]:
    count = VIEWS * SLOTS // size
    return {"angle": 100.0 * rank + torch.arange(count, dtype=torch.float64)}


@pytest.mark.parametrize("case", ["all", "some views", "instances"])
@pytest.mark.parametrize("seats", [ONE_SEAT, TWO_SEATS], ids=["one seat", "partners"])
@pytest.mark.parametrize("size", [1, 2])
def test_rows_of_each_process_and_of_all(
    size: int, seats: Tensor, case: str, everywhere: Callable[..., list[Any]]
) -> None:
    def one(world: World) -> tuple[Rows, Rows, Tensor, Tensor]:
        of, part = _given(world.rank, size, case)
        count = VIEWS * SLOTS // size if of is None else len(of)
        # The value of a row says which process and place it has.
        z = torch.stack([torch.full((count,), float(world.rank)), torch.arange(count).float()], dim=1)
        out = Embeddings(
            z,
            z,
            of=None if of is None else torch.tensor(of),
            part=None if part is None else torch.tensor(part),
        )
        rows, whole, exchange, _ = BatchRows(seats, VIEWS, world).rows(out, None, _emitted(world.rank, size))
        if exchange is None:
            return rows, whole, z, torch.tensor(count)
        return rows, whole, exchange.whole(z, out.of, out.part), exchange.total(torch.tensor(count))

    expected = _brute_force(seats, size, case)
    ids = []
    for rank, (rows, whole, values, total) in enumerate(everywhere(size, one)):
        assert (rows is whole) == (size == 1)
        columns = zip(whole.view, whole.part, whole.sample, values[:, 0], values[:, 1], strict=True)
        assert [tuple(int(x) for x in row) for row in columns] == [(v, p, s, r, i) for v, _, p, s, r, i in expected]
        assert total == len(expected)
        assert len(set(whole.row.tolist())) == len(expected)
        assert whole.row.tolist() == sorted(whole.row.tolist())
        slots = SLOTS // size
        angles = [100.0 * r + v * slots + (slot - r * slots) for v, slot, _, _, r, _ in expected]
        assert whole.emitted["angle"].tolist() == angles
        # Rows of one process are those of all that it has, in its own order.
        own = sorted((place, at) for at, (*_, r, place) in enumerate(expected) if r == rank)
        positions = torch.tensor([at for _, at in own])
        for name in ("sample", "view", "part", "row"):
            assert torch.equal(getattr(rows, name), getattr(whole, name)[positions]), name
        ids.append(whole.row.tolist())
    assert all(one == ids[0] for one in ids)


@pytest.mark.parametrize("size", [1, 2])
def test_rows_of_targets_of_one_view(size: int, everywhere: Callable[..., list[Any]]) -> None:
    def one(world: World) -> tuple[Rows, Rows]:
        slots = SLOTS // size
        z = torch.zeros(slots, 2)
        out = Embeddings(z, z, of=torch.arange(slots))
        made = BatchRows(TWO_SEATS, VIEWS, world).rows(out, None, _emitted(world.rank, size))
        return made[3](torch.arange(slots, 2 * slots)), made[1]

    for keys, whole in everywhere(size, one):
        assert keys.view.tolist() == [1] * SLOTS
        assert keys.sample.tolist() == TWO_SEATS[1].tolist()
        assert not set(keys.row.tolist()) & set(whole.row.tolist())
        slots = SLOTS // size
        assert keys.emitted["angle"].tolist() == [100.0 * (i // slots) + slots + i % slots for i in range(SLOTS)]


def test_unequal_counts_are_part_of_these_tests() -> None:
    counts = [len(_given(rank, 2, "instances")[0] or []) for rank in range(2)]
    assert len(set(counts)) == 2
    assert {max(_given(rank, 2, "instances")[1] or [0]) for rank in range(2)} == {1, 2}


@pytest.mark.parametrize("size", [1, 2])
def test_the_part_of_a_view_is_taken_where_a_method_gives_none(size: int, everywhere: Callable[..., list[Any]]) -> None:
    def one(world: World) -> tuple[Rows, Rows]:
        slots = SLOTS // size
        declared = torch.tensor([0, 0, 2, 2]).repeat_interleave(slots)
        of = torch.arange(slots, 3 * slots)  # the second and the third view
        z = torch.zeros(len(of), 2)
        return BatchRows(ONE_SEAT, VIEWS, world).rows(Embeddings(z, z, of=of), declared, {})[:2]

    for rows, whole in everywhere(size, one):
        assert rows.part.tolist() == [0] * (SLOTS // size) + [2] * (SLOTS // size)
        assert whole.part.tolist() == [0] * SLOTS + [2] * SLOTS
        assert whole.view.tolist() == [1] * SLOTS + [2] * SLOTS


@pytest.mark.parametrize(
    ("of", "part", "message"),
    [
        ([0, 1, 1], None, r"the same \(of, part\) twice"),
        ([0, 1, 1], [0, 1, 1], r"the same \(of, part\) twice"),
        ([0, VIEWS * SLOTS], None, f"rows 0 to {VIEWS * SLOTS} of {VIEWS * SLOTS}"),
        ([-1, 0], None, "rows -1 to 0"),
    ],
)
def test_rows_that_cannot_be_are_refused(of: list[int], part: list[int] | None, message: str) -> None:
    z = torch.zeros(len(of), 2)
    out = Embeddings(z, z, of=torch.tensor(of), part=None if part is None else torch.tensor(part))
    with pytest.raises(UsageError, match=message):
        BatchRows(ONE_SEAT, VIEWS, World()).rows(out, None, {})


def test_one_row_in_several_parts_is_allowed_in_any_order() -> None:
    z = torch.zeros(3, 2)
    out = Embeddings(z, z, of=torch.tensor([1, 0, 1]), part=torch.tensor([1, 0, 0]))
    rows, *_ = BatchRows(ONE_SEAT, VIEWS, World()).rows(out, None, {})
    assert rows.part.tolist() == [1, 0, 0]
    assert rows.sample.tolist() == [0, 3, 0]


def test_anchors_leave_out_drawn_negatives() -> None:
    seats = torch.cat([TWO_SEATS, TWO_SEATS.flip(1)])
    batch = BatchRows(seats, VIEWS, World(), negatives=2)
    rows = batch.of_process(None, None, {})
    anchors = batch.anchors(rows, "first")
    assert anchors is not None
    assert anchors.tolist() == [at for at in range(VIEWS * SLOTS) if int(rows.view[at]) % 4 < 2]
    assert batch.anchors(rows, "all") is None
    assert BatchRows(seats, VIEWS, World()).anchors(rows, "first") is None
