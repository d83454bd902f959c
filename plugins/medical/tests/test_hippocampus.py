"""The Decathlon's hippocampus: what the scan must find in real data."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from ssl_domains.samples import ScanResult, group_split
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
