"""A method knows its training rows before the first step, and may say by its options how many views it needs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, Field

import small_run
from ssl_domains.errors import UsageError
from ssl_domains.methods import SimCLROptions, TrainingSet, ViewPlan


class Counted(SimCLROptions):
    count: int = Field(default=2, ge=2, description="number of views")


class Prepared(small_run.DropoutSimCLR):
    """SimCLR of as many views as an option says, which keeps what it is prepared with."""

    options: ClassVar[type[BaseModel]] = Counted
    given: ClassVar[list[TrainingSet]] = []

    @classmethod
    def needs_with(cls, options: Mapping[str, Any]) -> ViewPlan:
        return ViewPlan(variants={"global": options["count"]})

    def prepare(self, training: TrainingSet) -> None:
        self.given.append(training)


@pytest.fixture
def prepared() -> type[Prepared]:
    Prepared.given.clear()
    return Prepared


def test_a_method_is_prepared_once_with_the_numbers_of_the_run(
    small_data: Path, tmp_path: Path, prepared: type[Prepared]
) -> None:
    small_run.run(
        small_data,
        tmp_path / "run",
        ("train.max_steps=1",),
        rule="same('patient') & within('y', 3)",
        recipe=small_run.make_recipe((12, 12)),
        method=prepared,
    )
    moving = ("views.crop", "crop", "horizontal-flip")
    assert prepared.given == [TrainingSet(samples=40, batch_size=8, emitted=("y",), moving=moving)]


def test_an_option_sets_the_number_of_views(small_data: Path, tmp_path: Path, prepared: type[Prepared]) -> None:
    run = small_run.run(small_data, tmp_path / "run", ("train.max_steps=1", "method.count=3"), method=prepared)
    assert run.config.views.n == 3


def test_a_method_that_refuses_the_training_rows_ends_before_the_first_step(small_data: Path, tmp_path: Path) -> None:
    class Refusing(Prepared):
        def prepare(self, training: TrainingSet) -> None:
            raise UsageError(f"{training.samples} samples are too few", "scan more")

    with pytest.raises(UsageError, match="40 samples are too few"):
        small_run.run(small_data, tmp_path / "run", ("train.max_steps=1",), method=Refusing)
    assert not (tmp_path / "run" / "checkpoints").exists()
