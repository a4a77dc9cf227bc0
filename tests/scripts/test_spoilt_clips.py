"""A real clip, spoilt as cameras spoil them: what kept Felicity from seeing is counted and said."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import felicity

SCRIPT = Path(__file__).parents[2] / "scripts" / "spoilt_clips.py"


@pytest.mark.shared_data
def test_spoilt_clips_are_not_taken_for_good_ones(
    shared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FELICITY_YUNET", str(shared / "models" / "face_detection_yunet_2023mar.onnx"))
    clip = shared / "data" / "media" / "classroom.gif"
    kinds = ("day", "night", "freeze", "damage")
    command = [sys.executable, str(SCRIPT), str(clip), "-o", str(tmp_path), "--kinds", ",".join(kinds), "--turns", "2"]
    subprocess.run(command, check=True, capture_output=True)
    store = tmp_path / "store.db"
    seen: dict[str, Any] = {}
    for kind in kinds:
        seen[kind] = felicity.watch(
            str(tmp_path / f"classroom-{kind}.mp4"), location=kind, store=store, detector="yunet",
            start=datetime(2026, 5, 4, 9, tzinfo=UTC),
        )  # fmt: skip
    codes = {kind: {note.code for note in summary.notes} for kind, summary in seen.items()}
    assert codes == {
        "day": set(), "night": {"seeing-poor"}, "freeze": {"frames-frozen"}, "damage": {"frames-damaged"},
    }  # fmt: skip
    assert seen["night"].unfit["faint"] == seen["night"].frames == 90 and seen["night"].people_seen < 2
    assert 15 <= seen["freeze"].frozen <= 30 and seen["damage"].damaged >= 5
    found = felicity.happiness(store=store, k=1)
    quality = {row.location: row.seeing.quality for row in found.rows}
    assert quality["night"] == 0
    assert {note.location for note in found.notes if note.code == "seeing-poor"} == {"night"}
    assert {row.detector for row in found.rows} == {"yunet 2023mar"}
