"""Features that an arm is probed on: principal components are those of the rows that are not tested."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import small_study
from ssl_domains.errors import UsageError
from ssl_domains.evaluation import embed_rows
from ssl_domains.studies import Arm
from ssl_domains.studies.design.cells import Cell
from ssl_domains.studies.design.training import fold_of, train
from ssl_domains.studies.measuring.features import check_features, features_of
from ssl_domains.studies.measuring.run import do_cell


def test_components_are_fitted_on_rows_that_are_not_tested(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path, fractions=(1.0,))
    arm = Arm("few", "", "simclr", config={"pairs.composition": "random"}, components=3)
    run = train(material, Cell(arm, 0, 0, None, {}, 2))
    whole = embed_rows(run.encoder(), run.preprocess, material.table, material.store).astype(np.float64)
    fitted = fold_of(material, Cell(arm, 0, 0, None, {}, 2)).train
    few = features_of(arm, [run], material.table, material.store, fitted)
    assert few.shape == (len(whole), 3)
    centred = whole - whole[fitted].mean(0)
    values, axes = np.linalg.eigh(centred[fitted].T @ centred[fitted])
    expected = centred @ axes[:, np.argsort(values)[::-1][:3]]
    np.testing.assert_allclose(np.abs(few), np.abs(expected), atol=1e-5 * np.abs(expected).max())
    signs = np.sign((few * expected).sum(0))
    np.testing.assert_allclose(few * signs, expected, atol=1e-5 * np.abs(expected).max())


def test_rows_fewer_than_components_give_as_many_as_there_are(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path, fractions=(1.0,))
    arm = Arm("few", "", "simclr", config={"pairs.composition": "random"}, components=20)
    run = train(material, Cell(arm, 0, 0, None, {}, 2))
    fitted = np.zeros(len(material.table), dtype=bool)
    fitted[:5] = True
    assert features_of(arm, [run], material.table, material.store, fitted).shape == (len(material.table), 5)


def test_a_cell_is_measured_on_its_components(pictures: Path, tmp_path: Path) -> None:
    material = small_study.make_material(pictures, tmp_path, fractions=(1.0,), nuisance=("light",))
    plan = small_study.make_plan(material, ())
    arm = Arm("one", "", "simclr", config={"pairs.composition": "random"}, components=1)
    result = do_cell(material, plan, "", Cell(arm, 0, 0, None, {}, 2))
    assert {score.probe for score in result.scores} == {"linear", "k-NN"}
    assert result.nuisance["light"][1] is not None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"branch": "mel"}, "arm 'odd': the encoder 'small_conv' has no branch 'mel'"),
        ({"components": 10_000}, "arm 'odd': 10000 components of"),
    ],
)
def test_what_the_encoder_does_not_have_is_refused_before_training(
    change: dict[str, object], said: str, pictures: Path, tmp_path: Path
) -> None:
    material = small_study.make_material(pictures, tmp_path)
    with pytest.raises(UsageError, match=said):
        check_features(material, Arm("odd", "", "simclr", **change))  # type: ignore[arg-type]


def test_stored_cells_of_arms_without_either_stay_valid() -> None:
    plain = Arm("plain", "", "simclr")
    cell = Cell(plain, 0, 0, None, {}, 2)
    assert cell.fingerprint("") == "ffd42351d8ca21533d48105c8e39bdaaa86c75cc8ccac2776fa6aadf88a42d46"
    others = [Arm("plain", "", "simclr", branch="mel"), Arm("plain", "", "simclr", components=4)]
    hashes = {Cell(arm, 0, 0, None, {}, 2).fingerprint("") for arm in [plain, *others]}
    assert len(hashes) == 3
