"""Zips of strangers: their members are counted before they are listed."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from felicity.zips import open_zip


def made(members: int, comment: bytes = b"", before: bytes = b"") -> bytes:
    """A zip with so many empty files, a comment, and something in front of it."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for number in range(members):
            archive.writestr(zipfile.ZipInfo(f"{number}/{'n' * (number % 7)}.png"), b"")
        archive.comment = comment
    return before + file.getvalue()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(0, 60), st.binary(max_size=200), st.binary(max_size=50))
def test_a_zip_opens_up_to_the_number_allowed(members: int, most: int, comment: bytes, before: bytes) -> None:
    content = made(members, comment, before)
    if b"PK\x05\x06" in comment:
        return
    if members > most:
        with pytest.raises(ValueError, match=f"it has more than {most:,} members"):
            open_zip(io.BytesIO(content), most)
    else:
        with open_zip(io.BytesIO(content), most) as archive:
            assert len(archive.namelist()) == members and archive.read(archive.namelist()[-1]) == b""


def test_a_zip_of_more_than_65_535_members_is_counted_before_it_is_listed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "many.zip"
    one = io.BytesIO()
    with zipfile.ZipFile(one, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a"), b"")
    whole = one.getvalue()
    start = whole.index(b"PK\x01\x02")
    header, end = whole[start : whole.index(b"PK\x05\x06")], whole[whole.index(b"PK\x05\x06") :]
    number = 70_000
    size = (len(header) * number).to_bytes(8, "little")
    count = number.to_bytes(8, "little")
    record = b"PK\x06\x06" + (44).to_bytes(8, "little") + b"\x2d\x00\x2d\x00" + bytes(8) + count * 2 + size
    record += start.to_bytes(8, "little")
    locator = (
        b"PK\x06\x07" + bytes(4) + (start + len(header) * number).to_bytes(8, "little") + (1).to_bytes(4, "little")
    )
    file.write_bytes(whole[:start] + header * number + record + locator + end[:8] + b"\xff" * 12 + end[20:])
    with open_zip(file, number) as archive:
        assert len(archive.infolist()) == number
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("it was listed"))
    with pytest.raises(ValueError, match="it has more than 69,999 members"):
        open_zip(file, number - 1)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06", b"no zip at all" * 40, made(3)[:-30]])
def test_what_is_no_zip_is_refused_as_zipfile_does(content: bytes) -> None:
    with pytest.raises(zipfile.BadZipFile):
        open_zip(io.BytesIO(content), 10)
