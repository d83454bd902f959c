"""Calibration files: layouts of other programs, encodings, what is refused, and damaged or hostile content."""

from __future__ import annotations

import codecs
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml  # type: ignore[import-untyped]
from typer.testing import CliRunner

from ssl_domains.errors import UsageError
from ssl_domains_fisheye.cli import app
from ssl_domains_fisheye.lens import Calibrations, Camera, camera_of, read_calibration
from ssl_domains_fisheye.reader import FisheyeReader

Write = Callable[[str, Any], Path]
Picture = Callable[..., Path]

KITTI_360 = """%YAML:1.0
---
model_type: MEI
camera_name: image_02
image_width: 1400
image_height: 1400
mirror_parameters:
   xi: 2.2134047507854890e+00
distortion_parameters:
   k1: 1.6798235660113681e-02
   k2: 1.6548773243373522e+00
   p1: 4.2223943394772046e-04
   p2: 4.2462134260997584e-04
projection_parameters:
   gamma1: 1.3363220825849971e+03
   gamma2: 1.3357883350012958e+03
   u0: 7.1694323510126321e+02
   v0: 7.0576498308221585e+02
"""


def kalibr(camera: str, distortion: str, intrinsics: list[float], coefficients: list[float]) -> dict[str, Any]:
    return {
        "camera_model": camera, "distortion_model": distortion, "intrinsics": intrinsics,
        "distortion_coeffs": coefficients, "resolution": [752, 480], "rostopic": "/cam0/image_raw",
        "T_cam_imu": [[1.0, 0.0, 0.0, 0.0]], "timeshift_cam_imu": 0.002, "cam_overlaps": [1],
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
def test_json_in_any_encoding_of_unicode(encoding: str, tmp_path: Path, calibrations: dict[str, Any]) -> None:
    for name, content in calibrations.items():
        file = tmp_path / f"{name}.json"
        mark = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""
        file.write_bytes(mark + json.dumps(content).encode(encoding))
        assert read_calibration(file) == camera_of(content)
        as_yaml = file.with_suffix(".yaml")
        as_yaml.write_bytes(mark + yaml.safe_dump({"intrinsic": content}).encode(encoding))
        assert read_calibration(as_yaml) == camera_of(content)


def test_kitti_360(write: Write) -> None:
    camera = read_calibration(write("image_02.yaml", KITTI_360))
    ours = {
        "model": "mei", "xi": 2.213404750785489, "fx": 1336.3220825849971, "fy": 1335.7883350012958,
        "cx": 716.9432351012632, "cy": 705.7649830822159, "k1": 0.01679823566011368, "k2": 1.6548773243373522,
        "p1": 4.2223943394772046e-4, "p2": 4.2462134260997584e-4, "width": 1400, "height": 1400,
    }  # fmt: skip
    assert camera == camera_of(ours)
    # As the programs that come with the data set project: onto the sphere, from ξ behind it, distorted, scaled.
    theta, phi = np.radians(95.0), 0.7
    x, y, z = np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta) + ours["xi"]
    mx, my = x / z, y / z
    r2 = mx * mx + my * my
    radial = 1 + ours["k1"] * r2 + ours["k2"] * r2 * r2
    px = mx * radial + 2 * ours["p1"] * mx * my + ours["p2"] * (r2 + 2 * mx * mx)
    py = my * radial + ours["p1"] * (r2 + 2 * my * my) + 2 * ours["p2"] * mx * my
    wanted = [ours["fx"] * px + ours["cx"], ours["fy"] * py + ours["cy"]]
    assert camera.project([x, y, np.cos(theta)]) == pytest.approx(wanted, abs=1e-9)
    assert camera.unproject(wanted) == (pytest.approx(theta), pytest.approx(phi))
    fourth = KITTI_360.replace("   p2: 4.2462134260997584e-04\n", "   p2: 0\n   k3: 1.0e-3\n")
    with pytest.raises(UsageError, match="'k3' in 'distortion_parameters', which MEI does not read"):
        read_calibration(write("more.yaml", fourth))
    with pytest.raises(UsageError, match="MEI calibration and has no 'gamma1' in 'projection_parameters'"):
        read_calibration(write("cut.yaml", KITTI_360.replace("   gamma1: 1.3363220825849971e+03\n", "")))


def test_camodocals_other_models(write: Write) -> None:
    fisheye = {
        "model_type": "KANNALA_BRANDT", "camera_name": "c", "image_width": 848, "image_height": 800,
        "projection_parameters": {
            "k2": -0.008, "k3": 0.045, "k4": -0.041, "k5": 0.0075, "mu": 285.0, "mv": 287.0, "u0": 424.5, "v0": 401.25,
        },
    }  # fmt: skip
    camera = read_calibration(write("c.yaml", yaml.safe_dump(fisheye)))
    theta = 1.2
    series = 1 - 0.008 * theta**2 + 0.045 * theta**4 - 0.041 * theta**6 + 0.0075 * theta**8
    assert camera.lens.radius(theta) == pytest.approx(285 * theta * series)
    assert (camera.cx, camera.cy, camera.aspect) == (424.5, 401.25, pytest.approx(287 / 285))
    with pytest.raises(UsageError, match="model_type 'SCARAMUZZA', which is not read") as refused:
        read_calibration(write("s.yaml", "model_type: SCARAMUZZA\n"))
    assert "MEI, KANNALA_BRANDT, PINHOLE" in refused.value.hint


@pytest.mark.parametrize(
    ("camera", "distortion", "intrinsics", "coefficients", "ours"),
    [
        ("pinhole", "equidistant", [380.0, 381.0, 376.0, 240.0], [0.01, 0.02, -0.03, 0.004],
         {"model": "kannala_brandt", "k1": 0.01, "k2": 0.02, "k3": -0.03, "k4": 0.004}),
        ("omni", "radtan", [1.6, 380.0, 381.0, 376.0, 240.0], [-0.2, 0.3, 0.001, -0.002],
         {"model": "mei", "xi": 1.6, "k1": -0.2, "k2": 0.3, "p1": 0.001, "p2": -0.002}),
        ("omni", "none", [0.9, 380.0, 381.0, 376.0, 240.0], [], {"model": "mei", "xi": 0.9, "k1": 0, "k2": 0}),
        ("pinhole", "radtan", [380.0, 381.0, 376.0, 240.0], [-0.2, 0.3, 0.001, -0.002],
         {"model": "mei", "xi": 0, "k1": -0.2, "k2": 0.3, "p1": 0.001, "p2": -0.002}),
    ],
)  # fmt: skip
def test_kalibr(
    camera: str, distortion: str, intrinsics: list[float], coefficients: list[float], ours: dict[str, Any], write: Write
) -> None:
    chain = {"cam0": kalibr(camera, distortion, intrinsics, coefficients)}
    place = {"fx": 380.0, "fy": 381.0, "cx": 376.0, "cy": 240.0, "width": 752, "height": 480}
    assert read_calibration(write("camchain.yaml", yaml.safe_dump(chain))) == camera_of({**ours, **place})
    assert read_calibration(write("one.yaml", yaml.safe_dump(chain["cam0"]))) == camera_of({**ours, **place})


@pytest.mark.parametrize(
    ("camera", "distortion", "intrinsics", "coefficients"),
    [
        ("eucm", "none", [0.6, 1.1, 380.0, 381.0, 376.0, 240.0], []),
        ("ds", "none", [-0.2, 0.6, 380.0, 381.0, 376.0, 240.0], []),
        ("omni", "equidistant", [1.6, 380.0, 381.0, 376.0, 240.0], [0.0] * 4),
        ("pinhole", "fov", [380.0, 381.0, 376.0, 240.0], [0.9]),
    ],
)
def test_other_models_of_kalibr_are_named(
    camera: str, distortion: str, intrinsics: list[float], coefficients: list[float], write: Write
) -> None:
    chain = {"cam0": kalibr(camera, distortion, intrinsics, coefficients)}
    with pytest.raises(UsageError, match=f"Kalibr calibration with camera_model '{camera}'") as refused:
        read_calibration(write("camchain.yaml", yaml.safe_dump(chain)))
    assert f"distortion_model '{distortion}', which is not read" in str(refused.value)
    assert "pinhole-equi or omni-radtan" in refused.value.hint


def test_several_cameras_in_one_file_are_matched_by_name(write: Write, picture: Picture, tmp_path: Path) -> None:
    one, two = (kalibr("pinhole", "equidistant", [f, f, 40.0, 30.0], [0.0] * 4) for f in (50.0, 60.0))
    chain = {"cam0": {**one, "resolution": [80, 60]}, "cam1": {**two, "resolution": [80, 60]}}
    file = write("lens/camchain.yaml", yaml.safe_dump(chain))
    with pytest.raises(UsageError, match="holds 2 cameras: cam0, cam1"):
        read_calibration(file)
    for name in ("drive_0001_cam0", "drive_0001_cam1", "cam1/0002", "drive_0002_cam2"):
        picture(f"images/{name}.png")
        write(f"labels/{name}.txt", "0 0.5 0.5 0.2 0.2\n")
    result = FisheyeReader().scan(tmp_path / "images", annotations=tmp_path / "labels", calibration=file)
    lens = dict(zip(*result.samples.frame[["image", "lens_1"]].get_columns(), strict=True))
    assert lens == {"drive_0001_cam0.png": 50, "drive_0001_cam1.png": 60, "cam1/0002.png": 60}
    assert [cause for cause in result.problems["cause"] if "no calibration" in cause] == [
        "no calibration for camera 'drive_0002_cam2' (there are cam0, cam1)"
    ]


def test_a_folder_of_calibrations_by_the_folder_of_the_image(write: Write) -> None:
    write("calibration/image_02.yaml", KITTI_360)
    write("calibration/image_03.yaml", KITTI_360.replace("1.3363220825849971e+03", "1.4e+03"))
    found = Calibrations(write("calibration/rig.yaml", "baseline: 0.6\n").parent)
    assert found.names == {"image_02", "image_03"}
    assert found.notes == ("passed over in calibration, as no calibration: rig.yaml",)
    left = found.of("0000000000", None, ("drive_0000", "image_02", "data_rgb"))
    right = found.of("0000000000", None, ("drive_0000", "image_03", "data_rgb"))
    assert isinstance(left, Camera)
    assert isinstance(right, Camera)
    assert (left.lens.coefficients[0], right.lens.coefficients[0]) == (1336.3220825849971, 1400.0)
    assert found.of("0000000000", None, ("drive_0000", "image_00")) is None
    write("calibration/image_02.json", {"model": "equidistant", "f": 1, "width": 4, "height": 4})
    with pytest.raises(UsageError, match="two calibrations named 'image_02'"):
        Calibrations(write("calibration/more.yaml", "a: 1\n").parent)


# numbers that would be dropped ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "extra", "named"),
    [
        ("radial_poly", {"k5": 3.3}, "'k5'"),
        ("radial_poly", {"poly_order": 5}, "poly_order is 5"),
        ("kannala_brandt", {"k5": 1.0, "p1": 0.1}, "'k5'"),
        ("kannala_brandt", {"p1": 0.1}, "'p1'"),
        ("kannala_brandt", {"xi": 0.1}, "'xi'"),
        ("kannala_brandt", {"skew": 0.01}, "'skew'"),
        ("kannala_brandt", {"D": [0.1, 0.2]}, "'D'"),
        ("kannala_brandt", {"distortion_coeffs": [0.1, 0.2, 0.3, 0.4]}, "'distortion_coeffs'"),
        ("kannala_brandt", {"K5": "1.0"}, "'K5'"),
        ("kannala_brandt", {"f": 280.0}, "'f'"),
        ("kannala_brandt", {"aspect_ratio": 1.3}, "aspect ratio 1.3, but fy/fx is"),
        ("mei", {"k3": 0.1}, "'k3'"),
        ("equidistant", {"k1": 0.1}, "'k1'"),
        ("equidistant", {"fx": 200.0, "fy": 210.0}, "'fx'"),
        ("equisolid", {"k1": -0.1}, "'k1'"),
        ("stereographic", {"s1": 0.1}, "'s1'"),
        ("equidistant", {"inv_poly0": 0.1}, "'inv_poly0'"),
        ("equidistant", {"distortion": {"radial": [0.1]}}, "'distortion'"),
        ("equidistant", {"distortion": ["0.1"]}, "'distortion'"),
    ],
)
def test_numbers_that_are_not_read_are_refused(
    model: str, extra: dict[str, Any], named: str, calibrations: dict[str, Any]
) -> None:
    for content in ({**calibrations[model], **extra}, {"intrinsic": {**calibrations[model], **extra}}):
        with pytest.raises(UsageError, match=named) as refused:
            camera_of(content)
        assert refused.value.exit_code == 2
        assert refused.value.hint


def test_two_values_for_one_number_are_refused(write: Callable[[str, Any], Path]) -> None:
    whole = '{"model": "equidistant", "width": 100, "height": 80, "f": 50.0, "f": 50.0}'
    assert read_calibration(write("one.json", whole)).lens.coefficients == (50.0,)
    with pytest.raises(UsageError, match="it has two values for 'f'"):
        read_calibration(write("two.json", whole.replace("50.0}", "60.0}")))


def test_coefficients_beside_the_intrinsic_part_are_refused(calibrations: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="'k5'"):
        camera_of({"intrinsic": calibrations["radial_poly"], "k5": 1.0})


def test_what_changes_nothing_is_passed_over(calibrations: dict[str, Any]) -> None:
    about = {
        "k5": 0.0, "p1": 0, "s1": None, "D": [0, 0.0], "poly_order": 4, "name": "FV", "serial": "a12", "rms": 0.31,
        "date": "2024-01-01", "sha256": "ab12", "rotation": [1.0, 0.0], "fps": 30,
        "version2": 3, "rms1": 0.2, "note_1": "20240101", "cam1": 2, "distortion": "none",
        "focal": "1.2 mm", "intrinsics": "see the paper",
    }  # fmt: skip
    whole = {
        "intrinsic": {**calibrations["radial_poly"], **about},
        "extrinsic": {"translation": [1, 2, 3]},
        "name": "FV",
    }
    assert camera_of(whole) == camera_of(calibrations["radial_poly"])


@pytest.mark.parametrize(
    ("missing", "message"),
    [("cy", "has 'cx' without 'cy'"), ("cx", "has 'cy' without 'cx'")],
)
def test_half_an_optical_centre_is_refused(missing: str, message: str, calibrations: dict[str, Any]) -> None:
    numbers = dict(calibrations["kannala_brandt"])
    del numbers[missing]
    with pytest.raises(UsageError, match=message):
        camera_of(numbers)
    offsets = dict(calibrations["radial_poly"])
    del offsets[f"{missing}_offset"]
    with pytest.raises(UsageError, match=message.replace("cx", "cx_offset").replace("cy", "cy_offset")):
        camera_of(offsets)
    with pytest.raises(UsageError, match="both 'cx' and 'cx_offset'"):
        camera_of({**calibrations["radial_poly"], "cx": 640.0, "cy": 480.0})


# damaged and hostile files -------------------------------------------------------------------------------------------

DEEP = 200_000
DAMAGED: dict[str, str | bytes] = {
    "empty.json": "",
    "blank.yaml": "",
    "list.json": "[1, 2]",
    "cut.json": '{"model": "equidistant", "f": 1',
    "binary.json": b"\x89PNG\r\n\x1a\n\xff\xfe",
    "half_utf16.json": b"\xff\xfe{\x00",
    "deep.json": "[" * DEEP,
    "deep_object.json": '{"a":' * DEEP,
    "deep.yaml": "[" * 20_000,
    "deep_list.yaml": "- " * 20_000,
    "deep_indent.yaml": "\n".join(" " * i + "a:" for i in range(350)),
    "large.yaml": "- 1\n" * 200_000,
    "digits.json": '{"model": "equidistant", "f": 1' + "0" * 400 + ', "width": 4, "height": 4}',
    "more_digits.json": '{"model": "equidistant", "f": 1' + "0" * 6000 + ', "width": 4, "height": 4}',
    "wide.json": '{"model": "equidistant", "f": 1, "width": 1' + "0" * 400 + ', "height": 4}',
    "half_wide.json": '{"model": "equidistant", "f": 1, "width": 4.5, "height": 4}',
    "float.json": '{"model": "equidistant", "f": 1e999, "width": 4, "height": 4}',
    "nan.json": '{"model": "equidistant", "f": NaN, "width": 4, "height": 4}',
    "tiny.json": '{"model": "kannala_brandt", "fx": 1e-300, "fy": 1e9, "k1": 0, "k2": 0, "k3": 0, "k4": 0, '
    '"width": 4, "height": 4}',
    "types.json": '{"model": ["equidistant"], "f": {}, "width": [], "height": true}',
    "model.json": '{"model": {"a": [1]}, "width": 4, "height": 4}',
    "object.json": '{"intrinsic": [1, 2]}',
    "number.json": '{"intrinsic": 7}',
    "tags.yaml": "model: !!python/object/apply:os.system [echo]\n",
    "date.yaml": "model: 2020-13-45\n",
    "int.yaml": "model: !!int ''\n",
    "hex.yaml": "model: equidistant\nf: 0x" + "f" * 9000 + "\nwidth: 4\nheight: 4\n",
    "key.yaml": "? [a, b]\n: 1\n",
    "tab.yaml": "model:\n\t- a\n",
    "two.yaml": "a: 1\n---\nb: 2\n",
    "alias.yaml": "&a model: *a\n",
    "merge.yaml": "a: &a {k: 1}\nb: &b {<<: [*a, *a]}\n",
    "kalibr.yaml": "cam0: {camera_model: [1], distortion_model: {a: 1}}\n",
    "kalibr_short.yaml": "cam0: {camera_model: pinhole, distortion_model: equidistant, intrinsics: [1, 2]}\n",
    "kalibr_text.yaml": "cam0: {camera_model: pinhole, distortion_model: equidistant, intrinsics: 7}\n",
    "kalibr_types.yaml": "cam0: {camera_model: pinhole, distortion_model: equidistant, intrinsics: [a, b, c, d], "
    "distortion_coeffs: [1, 2, 3, 4], resolution: [4, 4]}\n",
    "mei_types.yaml": "model_type: MEI\nmirror_parameters: [1]\n",
    "mei_type.yaml": "model_type: [MEI]\n",
    "opencv.yaml": "%YAML:1.0\n---\nK: !!opencv-matrix\n   rows: 3\n   cols: 3\n   dt: d\n   data: [1., 0., 0.]\n",
    "ros.yaml": "image_width: 4\nimage_height: 4\ndistortion_model: plumb_bob\ncamera_matrix: {rows: 3}\n",
    "surrogate.json": '{"model": "\\ud800", "width": 4, "height": 4}',
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_one_sentence_and_exit_2(name: str, tmp_path: Path, picture: Picture) -> None:
    content = DAMAGED[name]
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UsageError) as refused:
        read_calibration(tmp_path / name)
    assert len(str(refused.value)) < 400
    assert "\n" not in str(refused.value)
    assert refused.value.hint
    folder = tmp_path / "calibration"
    folder.mkdir()
    (tmp_path / name).rename(folder / name)
    with pytest.raises(UsageError):
        Calibrations(folder)


def test_a_file_that_is_no_calibration_by_size_or_kind(tmp_path: Path) -> None:
    (tmp_path / "big.json").write_bytes(b" " * (2 << 20))
    with pytest.raises(UsageError, match="larger than 1024 kB"):
        read_calibration(tmp_path / "big.json")
    with pytest.raises(UsageError, match=r"cannot read the calibration none\.json: No such file"):
        read_calibration(tmp_path / "none.json")
    (tmp_path / "dir.json").mkdir()
    with pytest.raises(UsageError, match=r"cannot read the calibration dir\.json: it is no file"):
        read_calibration(tmp_path / "dir.json")


def test_files_without_a_model_are_named_as_what_they_are(write: Write) -> None:
    for name, what in (("opencv.yaml", "a file of OpenCV matrices"), ("ros.yaml", "a camera_info of ROS")):
        with pytest.raises(UsageError, match=f"{name} is {what}") as refused:
            read_calibration(write(name, DAMAGED[name]))
        assert '"model": "kannala_brandt"' in refused.value.hint


def test_the_command_line_ends_with_2(write: Write, picture: Picture, tmp_path: Path) -> None:
    image = picture("a.png")
    file = write("lens/a.json", DAMAGED["digits.json"])
    told = CliRunner().invoke(app, ["regions", str(image), "--calibration", str(file), "-o", str(tmp_path / "r.png")])
    assert isinstance(told.exception, UsageError)
    assert "a number of about 401 digits for 'f'" in str(told.exception)


# the inputs from the field -------------------------------------------------------------------------------------------


@pytest.fixture
def field(shared_data: Path) -> Path:
    folder = shared_data.parent / "cases" / "fisheye" / "calibrations"
    if not folder.is_dir():
        pytest.skip("the inputs from the field are not here")
    return folder


@pytest.mark.shared_data
def test_field_calibrations_that_are_read(field: Path) -> None:
    marked = read_calibration(field / "bom.json")
    assert (marked.lens.name, marked.cx, marked.width) == ("kannala_brandt", 960.73, 1920)
    assert marked.lens.coefficients[::2] == pytest.approx(
        [1133.11 * k for k in (1, -1.152516, 2.913204, -2.482336, 0.178503)]
    )
    chain = read_calibration(field / "kalibr.yaml")
    assert chain.lens.radius(0.5) == pytest.approx(380 * 0.5 * (1 + 0.01 * 0.25))
    assert (chain.cx, chain.cy, chain.aspect, chain.width, chain.height) == (376, 240, 1, 752, 480)


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cx_only.json", "'cx' without 'cy'"),
        ("equi_fov_400.json", "fov is 400"),
        ("equi_fov_in_rad.json", "probably 3.14 radians"),
        ("k5_extra_in_KB.json", "'k5', which the model 'kannala_brandt' does not read"),
        ("kitti360.yaml", "MEI calibration and has no"),
        ("poly_order_5.json", "'k5', which the model 'radial_poly' does not read"),
    ],
)
def test_field_calibrations_that_are_refused(name: str, message: str, field: Path) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        read_calibration(field / name)
    assert name in str(refused.value)
