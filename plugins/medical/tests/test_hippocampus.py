"""The Decathlon's hippocampus: what the scan must find in real data."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from sklearn.linear_model import RidgeCV
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

import ssl_domains.encoders  # noqa: F401  small_conv is registered with timm
from ssl_domains.extending import RecipeRequest
from ssl_domains.samples import ScanResult, group_split
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, ImagePreprocess, InputDataset
from ssl_domains_medical.domain import MEDICAL
from ssl_domains_medical.reader import MedicalReader

pytestmark = pytest.mark.shared_data


@pytest.fixture(scope="module")
def scanned(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> ScanResult:
    folder = tmp_path_factory.mktemp("hippocampus")
    with zipfile.ZipFile(shared_data / "medical" / "msd_hippocampus.zip") as archive:
        archive.extractall(folder)
    (labels,) = folder.rglob("labels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")
        return MedicalReader().scan(labels.parent, masks=labels, mask_names="1=anterior,2=posterior")


def test_volumes_slices_and_classes(scanned: ScanResult) -> None:
    frame = scanned.samples.frame
    assert frame["volume"].n_unique() == 260
    assert len(frame) == 12_995
    counts = dict(frame["slice_class"].value_counts().iter_rows())
    assert counts == {"posterior": 5_823, "anterior": 4_210, None: 2_962}
    both = frame.filter((frame["area_anterior"] > 0) & (frame["area_posterior"] > 0))
    assert len(both) == 63
    assert both["slice_class"].null_count() == 63
    assert len(scanned.problems) == 0


def test_file_types_and_native_arrays(scanned: ScanResult) -> None:
    files = scanned.samples.frame.unique("volume")
    assert dict(files["dtype"].value_counts().iter_rows()) == {"uint8": 55, "float32": 205}
    reader = MedicalReader()
    for row in files.sort("volume").head(4).iter_rows(named=True):
        array = reader.load(row)
        assert array.dtype == np.dtype(row["dtype"])
        assert array.shape == (row["rows"], row["columns"], 1)


def test_a_split_keeps_volumes_whole(scanned: ScanResult) -> None:
    split = group_split(scanned.samples, "volume", 0.2, 0).frame.unique(["volume", "split"])
    assert len(split) == 260
    assert split["split"].value_counts().sort("count")["count"].to_list() == [52, 208]


def test_the_padding_of_the_canvas_adds_little_to_what_slices_tell_of_their_aspect_ratio(
    scanned: ScanResult, tmp_path: Path
) -> None:
    """A frame of zeros tells nearly all of it, slices cut to the same square tell a part, views tell nearly nothing."""
    rows = np.sort(np.random.default_rng(0).choice(len(scanned.samples), 2000, replace=False))
    table = scanned.samples.take(rows)
    store = ArrayStore.fill(tmp_path / "samples.store", table, MedicalReader())
    fitted = MEDICAL.scaling(table).fit(table, store)
    shapes = [store.shape(int(position)) for position in store.positions(table)]
    volumes = table.codes("volume")
    ratios = np.log([shape[1] / shape[0] for shape in shapes])
    preprocess = ImagePreprocess(fitted, Canvas(32, MEDICAL.canvas), in_chans=1)
    canvases = InputDataset(table, store, preprocess).__getitems__(range(len(table)))["input"].unit()
    images, masks = canvases.values, canvases.valid

    def explained(pictures: Tensor) -> float:
        torch.manual_seed(0)
        encoder = timm.create_model("small_conv", in_chans=1).eval()
        with torch.no_grad():
            features = encoder(pictures).numpy()
        probe = make_pipeline(StandardScaler(), RidgeCV(np.logspace(-2, 4, 13)))
        answers = cross_val_predict(probe, features, ratios, cv=GroupKFold(5), groups=volumes)
        return float(r2_score(ratios, answers))

    recipe = MEDICAL.recipe(RecipeRequest(table, 32, 1, 1))
    (view,) = recipe.device_views(images, masks, seed=0, step=0, slots=torch.arange(len(table)))
    assert explained(images * masks) > 0.85
    assert explained(images) < 0.5
    assert explained(view.images) <= 0.15
    side = min(int(mask[0, 16].sum()) for mask in masks), min(int(mask[0, :, 16].sum()) for mask in masks)
    half = min(side) // 2
    unpadded = explained(images[:, :, 16 - half : 16 + half, 16 - half : 16 + half])
    assert explained(images) - unpadded <= 0.2
