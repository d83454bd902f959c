"""What the domain declares: light to import, no flip where sides count, one window for CT."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import polars as pl
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.samples import Reader, SampleTable
from ssl_domains.views import ViewRecipe
from ssl_domains_medical.domain import MEDICAL


def table(**columns: Any) -> SampleTable:
    return SampleTable.of(pl.DataFrame(columns))


def test_hooks_and_command_import_nothing_heavy() -> None:
    code = (
        "import sys, ssl_domains_medical.hooks, ssl_domains_medical.domain, ssl_domains_medical.pairs;"
        "print(sorted({'torch', 'numpy', 'polars', 'pydicom', 'nibabel', 'cv2', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_hooks_hand_over_the_domain_and_its_samplers() -> None:
    from ssl_domains_medical.hooks import ssl_domains_domains, ssl_domains_pair_samplers

    assert [domain.name for domain in ssl_domains_domains()] == ["medical"]
    names = {sampler.name for sampler in ssl_domains_pair_samplers()}
    assert names >= {"patient", "study", "series", "volume", "neighbours", "position", "clinical"}


def test_the_reader_keeps_the_contract() -> None:
    assert isinstance(MEDICAL.reader(), Reader)
    assert MEDICAL.reader().version


def test_floors_and_options() -> None:
    assert MEDICAL.floors == {"position alone": ("position",)}
    assert [option.flag for option in MEDICAL.scan_options] == [
        "--axis",
        "--masks",
        "--mask-names",
        "--burned-in",
        "--patient-ids",
        "--site",
    ]
    assert MEDICAL.canvas == "fit"


def recipe(samples: SampleTable, **request: Any) -> ViewRecipe:
    return MEDICAL.recipe(RecipeRequest(samples, 32, 2, 1, **request))


@pytest.mark.parametrize(
    ("columns", "flips"),
    [({"laterality": ["R", None]}, False), ({"laterality": [None, None]}, True), ({"position": [0.0, 1.0]}, True)],
)
def test_no_horizontal_flip_where_laterality_is_a_column(columns: dict[str, Any], flips: bool) -> None:
    names = [step.name for step in recipe(table(**columns)).steps]
    assert ("horizontal-flip" in names) == flips
    assert "vertical-flip" not in names
    assert not any("colo" in name for name in names)


def test_every_step_says_why() -> None:
    assert all(len(step.reason) > 20 for step in recipe(table(position=[0.0])).steps)


def test_an_unknown_view_is_refused() -> None:
    with pytest.raises(UsageError, match="no view 'reprojection'"):
        recipe(table(position=[0.0]), extra=("reprojection",))


def test_ct_has_one_window_everywhere() -> None:
    scaling = MEDICAL.scaling(table(modality=["CT", "CT"], reader=["dicom"] * 2, dtype=["int16"] * 2))
    assert (scaling.scope, scaling.lo, scaling.hi) == ("fixed", -1000.0, 1000.0)


@pytest.mark.parametrize(
    "columns",
    [
        {"modality": ["MR", "MR"], "dtype": ["int16", "int16"], "reader": ["dicom"] * 2},
        {"dtype": ["uint8", "float32"], "reader": ["nifti"] * 2},
    ],
)
def test_mr_is_scaled_by_volume(columns: dict[str, Any]) -> None:
    scaling = MEDICAL.scaling(table(volume=["a", "b"], **columns))
    assert (scaling.scope, scaling.group) == ("volume", "volume")


def test_8_bit_data_and_pictures_use_their_full_range() -> None:
    assert MEDICAL.scaling(table(modality=["OPT", "MR"], dtype=["uint8"] * 2, reader=["dicom"] * 2)).scope == "fixed"
    assert MEDICAL.scaling(table(dtype=["uint16"], reader=["image"])).scope == "fixed"
    assert MEDICAL.scaling(table(path=["a.png"])).scope == "volume"


def test_ct_beside_something_else_needs_to_know_which_row_is_which() -> None:
    with pytest.raises(DataError, match="CT is mixed with MR") as raised:
        MEDICAL.scaling(table(modality=["CT", "MR"], reader=["dicom"] * 2, dtype=["int16"] * 2))
    assert "scan the files again" in raised.value.hint


@pytest.mark.parametrize(("channels", "expected"), [([1, 1], 1), ([1, 3], 3)])
def test_channels(channels: list[int], expected: int) -> None:
    assert MEDICAL.in_chans is not None
    assert MEDICAL.in_chans(table(channels=channels)) == expected
    assert MEDICAL.in_chans(table(path=["a"])) == 1
