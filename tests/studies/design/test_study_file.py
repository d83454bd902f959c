from __future__ import annotations

from pathlib import Path

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.studies import read_study_file

GOOD = """
name = "bars"
title = "Bars"
about = "Made up."
samples = "samples.parquet"
label = "kind"
group = "scene"
fractions = [0.1, 1.0]

[config.train]
epochs = 3

[[grid]]
"train.lr" = 1e-3
[[grid]]
[grid.train]
lr = 1e-2

[arms.near]
rule = "same('place')"

[primary]
arm = "near"
fraction = 0.1
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "STUDY.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_sections_and_dotted_keys_are_the_same(tmp_path: Path) -> None:
    study = read_study_file(write(tmp_path, GOOD))
    assert study.config == {"train.epochs": 3}
    assert study.grid == [{"train.lr": 1e-3}, {"train.lr": 1e-2}]
    assert (study.primary.against, study.primary.probe, study.folds, study.seeds) == ("simclr", "linear", None, 5)


def test_standardised_features_have_probes_of_their_own(tmp_path: Path) -> None:
    asked = GOOD.replace("fraction = 0.1", 'fraction = 0.1\nprobe = "k-NN, standardised"')
    with pytest.raises(UsageError, match=r"primary\.probe 'k-NN, standardised' is not one of probes"):
        read_study_file(write(tmp_path, asked))
    study = read_study_file(write(tmp_path, f'standardise_by = "scene"\n{asked}'))
    assert study.probe_names == ["linear", "k-NN", "linear, standardised", "k-NN, standardised"]


@pytest.mark.parametrize(
    ("old", "new", "said", "hint"),
    [
        ("label =", "lable =", "unknown key 'lable'", "did you mean 'label'?"),
        ("rule =", "roule =", "unknown key 'arms.near.roule'", "did you mean 'rule'?"),
        ('arm = "near"', 'arm = "far"', "primary.arm 'far' is not one of [arms]", ""),
        ("fraction = 0.1", "fraction = 0.2", "primary.fraction 0.2 is not one of fractions", ""),
        ("[0.1, 1.0]", "[0.1, 1.5]", "fractions are above 0 and up to 1", ""),
        ("[arms.near]", "[arms.near]\ncontrols = false", "the primary arm cannot do without its controls", ""),
        ("[arms.near]", '[arms.simclr]\nrule = "none"\n[arms.near]', "an arm cannot be called 'simclr'", ""),
        ("rule =", 'pairs = "near"\nrule =', "pairs and rule exclude each other", ""),
        ("[arms.near]", "[[grid]]\n[[grid]]\n[arms.near]", "'grid'", "three at most"),
        ("fractions = [", "seeds = true\nfractions = [", "'seeds'", "trainings of each arm"),
        (
            "fractions = [",
            f"seeds = {'9' * 400}\nfractions = [",
            "'seeds': input should be less",
            "trainings of each arm",
        ),
        ("rule =", "members = 2\nrule =", "an arm of several members is probed only: finetune = false", ""),
        ("rule =", "branch = 'mel'\nrule =", "an arm of one branch is probed only: finetune = false", ""),
        ("rule =", "components = 8\nrule =", "an arm of principal components is probed only", ""),
        ("rule =", "components = 0\nrule =", "greater than or equal to 1", ""),
        ("title =", "title ", "is not TOML", "how-to"),
    ],
)
def test_slips_are_one_line_with_a_hint(tmp_path: Path, old: str, new: str, said: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_study_file(write(tmp_path, GOOD.replace(old, new)))
    assert said in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message


def test_members_have_no_dense_probe(tmp_path: Path) -> None:
    text = GOOD.replace("fractions =", 'probes = ["linear", "dense"]\nfractions =').replace(
        "rule =", "members = 2\nfinetune = false\nrule ="
    )
    with pytest.raises(UsageError, match="an arm of several members has no dense probe"):
        read_study_file(write(tmp_path, text))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read the study"):
        read_study_file(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[arms.near]\nrule = \"same('place')\"", ""),
        ("[arms.near]", "[other.near]"),
        ("[config.train]\nepochs = 3", ""),
        ("fractions = [0.1, 1.0]", "fractions = 3"),
        ("fractions = [0.1, 1.0]", 'fractions = ["a"]'),
        ('name = "bars"', "name = 3"),
        ("label =", "floors = 3\nlabel ="),
        ("label =", "only = [1]\nlabel ="),
        ("label =", "unsure = true\nlabel ="),
    ],
)
def test_values_of_a_wrong_kind_are_one_line(tmp_path: Path, old: str, new: str) -> None:
    text = GOOD.replace(old, new)
    for number, name in enumerate(("arms", "config", "grid", "primary")):
        # The value takes the place of the whole section.
        lines = text.replace(f"[[{name}]]", f"[{name}]").split("\n[")
        kept = [part for part in lines if not part.startswith((name, f"{name}."))]
        wrong = f"{name} = {[3, '[1, 2]', 'true', chr(34) + 'x' + chr(34)][number]}\n" + "\n[".join(kept)
        with pytest.raises(UsageError) as caught:
            read_study_file(write(tmp_path, wrong))
        assert "\n" not in caught.value.message
        assert "STUDY.toml" in caught.value.message


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 2000 + "]" * 2000], ids=["digits", "brackets"])
def test_what_the_parser_of_toml_gives_up_on_is_no_bug(tmp_path: Path, value: str) -> None:
    with pytest.raises(UsageError, match="is not TOML"):
        read_study_file(write(tmp_path, f"seeds = {value}\n{GOOD}"))
