"""Places of texts in a list, whole and piece by piece."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssl_domains.stores import matching
from ssl_domains.stores.matching import matches


@pytest.mark.parametrize("piece", [1, 3, 1000])
@given(
    values=st.lists(st.none() | st.sampled_from("abcdé"), max_size=20),
    keys=st.lists(st.sampled_from("abcdéf"), unique=True),
)
def test_places_are_those_of_a_dictionary(piece: int, values: list[str | None], keys: list[str]) -> None:
    place = {key: number for number, key in enumerate(keys)}
    expected = [-1 if value is None else place.get(value, -1) for value in values]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(matching, "_ROWS_AT_A_TIME", piece)
        found = matches(pl.Series(values, dtype=pl.String), pl.Series(keys, dtype=pl.String))
    assert found.tolist() == expected
