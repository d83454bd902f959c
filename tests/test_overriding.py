"""A method for a batch is used only where nothing below it changes the method for one."""

from __future__ import annotations

from ssl_domains.overriding import does_many


class One:
    def read(self) -> None: ...


class Both(One):
    def read_boxes(self) -> None: ...


class Changed(Both):
    def read(self) -> None: ...


class ChangedBoth(Changed):
    def read(self) -> None: ...

    def read_boxes(self) -> None: ...


def test_the_nearest_class_decides() -> None:
    found = {kind: does_many(kind(), "read_boxes", "read") for kind in (One, Both, Changed, ChangedBoth)}
    assert found == {One: False, Both: True, Changed: False, ChangedBoth: True}
    assert not does_many(object(), "read_boxes", "read")
