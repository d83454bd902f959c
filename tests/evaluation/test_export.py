from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import load_file

from ssl_domains.encoders import create_encoder
from ssl_domains.engine.loop.initial import initial_encoder
from ssl_domains.errors import UsageError
from ssl_domains.evaluation import FORMATS, ExportError, export
from ssl_domains.inputs import InputSpec
from ssl_domains.views import ImagePreprocess, preprocess_from_dict, preprocess_to_dict

IMAGES = torch.rand(3, 1, 32, 32, generator=torch.Generator().manual_seed(5))


@pytest.mark.parametrize("name", ["small_conv", "resnet10t", "vit_tiny_patch16_224"])
def test_timm_loads_it_and_gives_the_same_features(make_run: Any, tmp_path: Path, name: str) -> None:
    run = make_run(**{"encoder.name": name})
    out = export(run, tmp_path / "out", "timm")
    config = json.loads((out / "config.json").read_text())
    with torch.no_grad():
        expected = run.encoder()(IMAGES).pooled
        by_file = timm.create_model(
            name, checkpoint_path=str(out / "model.safetensors"), num_classes=0, **config["model_args"]
        ).eval()
        torch.testing.assert_close(by_file(IMAGES), expected, rtol=1e-4, atol=1e-5)
        by_folder = timm.create_model(f"local-dir:{out}", pretrained=True).eval()
        torch.testing.assert_close(by_folder(IMAGES), expected, rtol=1e-4, atol=1e-5)


def test_two_channels_are_not_adapted_by_timm(make_run: Any, tmp_path: Path) -> None:
    run = make_run(**{"encoder.in_chans": 2, "encoder.name": "small_conv"})
    encoder = create_encoder("small_conv", 2, seed=4)
    run.checkpoints.save(9, {"method": {f"encoder.{k}": v for k, v in encoder.state_dict().items()}})
    out = export(run, tmp_path / "out")
    images = torch.rand(2, 2, 32, 32)
    with torch.no_grad():
        loaded = timm.create_model(f"local-dir:{out}", pretrained=True).eval()
        torch.testing.assert_close(loaded(images), encoder.eval()(images).pooled)


def test_safetensors_carries_architecture_and_preprocessing(make_run: Any, tmp_path: Path) -> None:
    from safetensors import safe_open

    run = make_run()
    out = export(run, tmp_path / "out", "safetensors")
    with safe_open(out / "model.safetensors", framework="pt") as file:
        about = file.metadata()
    model = create_encoder(about["architecture"], int(about["in_chans"]), image_size=int(about["image_size"])).model
    model.load_state_dict(load_file(out / "model.safetensors"))
    with torch.no_grad():
        torch.testing.assert_close(model.eval()(IMAGES), run.encoder()(IMAGES).pooled)
    assert preprocess_from_dict(json.loads(about["preprocess"])) == run.preprocess
    assert preprocess_from_dict(json.loads((out / "preprocess.json").read_text())) == run.preprocess


@pytest.mark.parametrize(
    ("format", "name"), [("timm", "small_conv"), ("safetensors", "small_conv"), ("safetensors", "small_crnn")]
)
def test_a_next_run_can_start_from_it(make_run: Any, tmp_path: Path, format: str, name: str) -> None:
    run = make_run(**{"encoder.name": name})
    out = export(run, tmp_path / "out", format)
    again = initial_encoder(name, InputSpec("image", 1, (32, 32)), str(out / "model.safetensors"), 0).eval()
    with torch.no_grad():
        torch.testing.assert_close(again(IMAGES).pooled, run.encoder()(IMAGES).pooled)


def test_a_recurrent_encoder_of_pictures_of_one_size_is_written_as_onnx(make_run: Any, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    from ssl_domains.evaluation.onnx_file import OnnxModel

    run = make_run(**{"encoder.name": "small_crnn"})
    model = OnnxModel(export(run, tmp_path / "out", "onnx") / "model.onnx")
    with torch.no_grad():
        torch.testing.assert_close(model(IMAGES), run.encoder()(IMAGES).pooled, rtol=1e-4, atol=1e-5)


def test_the_card_tells_how_it_was_made_and_names_nobody(world: Any, make_run: Any, tmp_path: Path) -> None:
    run = make_run(**{"pairs.rule": "same('patient')", "encoder.init": str(tmp_path / "private" / "w.pt")})
    text = (export(run, tmp_path / "out") / "README.md").read_text()
    assert "90 training samples" in text
    assert "same('patient')" in text
    assert "simclr" in text
    assert "7 steps" in text
    assert "left and right mean the same here" in text
    assert "Limits" in text
    everything = "".join(path.read_text() for path in (tmp_path / "out").iterdir() if path.suffix != ".safetensors")
    assert str(tmp_path) not in everything
    assert str(world.samples.parent) not in everything
    assert "g00" not in everything


def test_windows_by_volume_are_not_exported_as_their_keys_name_volumes(
    world: Any, make_run: Any, tmp_path: Path
) -> None:
    from ssl_domains.views import Canvas, Scaling

    run = make_run()
    scaling = Scaling(scope="volume", group="patient").fit(world.table, world.store)
    run.write_json("preprocess.json", preprocess_to_dict(ImagePreprocess(scaling, Canvas(32, "stretch"), 1)))
    for format in ("timm", "safetensors"):
        out = export(type(run).open(run.folder), tmp_path / format, format)
        assert all(b"g00" not in path.read_bytes() for path in out.iterdir())


def test_other_formats_are_refused(make_run: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not supported") as caught:
        export(make_run(), tmp_path / "out", "torchvision")
    assert "timm, safetensors" in caught.value.hint
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("format", ["sentence-transformers", "transformers"])
def test_formats_of_texts_hold_no_encoder_of_pictures(make_run: Any, tmp_path: Path, format: str) -> None:
    with pytest.raises(UsageError, match=f"the format '{format}' can't hold the encoder 'small_conv'") as caught:
        export(make_run(), tmp_path / "out", format)
    assert caught.value.hint == "--format timm"
    assert not (tmp_path / "out").exists()


def test_a_slip_and_a_full_folder(make_run: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        export(make_run(), tmp_path / "out", "tim")
    assert "timm" in caught.value.hint
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("x")
    with pytest.raises(UsageError, match="already there"):
        export(make_run("other"), tmp_path / "out")


def test_an_export_that_does_not_load_back_the_same_fails_and_leaves_nothing(
    make_run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, read = FORMATS["timm"]

    def off(out: Path) -> torch.nn.Module:
        model = read(out)
        with torch.no_grad():
            next(model.parameters()).add_(0.01)
        return model

    monkeypatch.setitem(FORMATS, "timm", (write, off))
    with pytest.raises(ExportError, match="does not give the features"):
        export(make_run(), tmp_path / "out")
    assert not (tmp_path / "out").exists()
