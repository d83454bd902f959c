"""The conformance kit that any plugin's author can run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ssl_domains.samples import SampleTable, join_columns, read_frame
from ssl_domains.testing import check_domain, check_pair_sampler, check_reader
from ssl_domains_medical.domain import MEDICAL
from ssl_domains_medical.pairs import SAMPLERS
from ssl_domains_medical.reader import MedicalReader

PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "clinical": [
        {"column": "severity"},
        {"column": "cst", "bins": 6},
        {"column": "cst", "tolerance": 10},
        {"column": {"bcva": 0.5, "cst": 0.5}, "bins": {"bcva": 5}, "tolerance": {"cst": 10}},
    ],
    "patient": [{}, {"other_study": "ignore"}],
    "neighbours": [{}, {"slices": 1}, {"width_mm": 0.3}],
    "position": [{}, {"n": 3}],
}
CASES = [(s.name, given) for s in SAMPLERS for given in PARAMETERS.get(s.name, [{}])]


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> SampleTable:
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")
        table = check_domain(MEDICAL, folder)
        return join_columns(table, read_frame(folder / "data" / "clinical.csv"), "series")


@pytest.mark.parametrize(("name", "given"), CASES, ids=[f"{name} {given}" for name, given in CASES])
def test_pair_samplers(samples: SampleTable, name: str, given: dict[str, Any]) -> None:
    (sampler,) = [sampler for sampler in SAMPLERS if sampler.name == name]
    check_pair_sampler(sampler, samples, **given)


def test_the_reader_on_nifti_with_masks(write_nifti: Callable[..., Path], tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("a", "b"):
        write_nifti(f"images/{name}.nii.gz", rng.normal(size=(4, 6, 5)).astype(np.float32))
        write_nifti(f"labels/{name}.nii.gz", rng.integers(0, 3, size=(4, 6, 5)).astype(np.uint8))
    check_reader(MedicalReader(), tmp_path, masks=Path("labels"))


def test_the_reader_on_pictures(tmp_path: Path) -> None:
    for name in ("a.png", "b.tif", "c.jpg"):
        Image.fromarray(np.arange(48, dtype=np.uint8).reshape(6, 8)).save(tmp_path / name)
    check_reader(MedicalReader(), tmp_path)


def test_the_reader_on_pydicoms_files(pydicom_files: Path) -> None:
    check_reader(MedicalReader(), pydicom_files / "dicomdirtests")
