"""One small data set, written out in the layouts that users bring."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from felicity.labels import FER2013, INDEX

FOLDS = ("Training", "PublicTest", "PrivateTest")


@dataclass(frozen=True)
class Faces:
    """``images`` (N, 48, 48) uint8, ``codes`` FER2013 codes (N,), ``folds`` N of FER2013's names."""

    images: npt.NDArray[np.uint8]
    codes: npt.NDArray[np.int64]
    folds: Sequence[str]

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """The codes as indices of the eight expressions."""
        return np.array([INDEX[FER2013[code]] for code in self.codes])

    def name(self, row: int) -> str:
        """The name of the row's expression."""
        return str(FER2013[self.codes[row]])


def made_up(n: int = 70, seed: int = 0) -> Faces:
    """Smooth random patterns: as varied as photographs, and no two alike."""
    rng = np.random.default_rng(seed)
    rough = rng.integers(0, 256, (n, 6, 6), dtype=np.uint8)
    images = np.stack([cv2.resize(patch, (48, 48), interpolation=cv2.INTER_CUBIC) for patch in rough])
    return Faces(images, np.arange(n) % 7, [FOLDS[row % 10 // 8] for row in range(n)])


def csv_text(faces: Faces, *, icml: bool = False) -> bytes:
    """FER2013's csv, or the one of the ICML challenge with its spaces."""
    lines = ["emotion, Usage, pixels" if icml else "emotion,pixels,Usage"]
    for image, code, fold in zip(faces.images, faces.codes, faces.folds, strict=True):
        pixels = " ".join(map(str, image.ravel()))
        lines.append(f"{code},{fold},{pixels}" if icml else f"{code},{pixels},{fold}")
    return ("\n".join(lines) + "\n").encode()


def write_csv(faces: Faces, path: Path) -> Path:
    """``fer2013.csv`` or ``icml_face_data.csv``, compressed or packed as the suffix says."""
    import zstandard

    content = csv_text(faces, icml=path.name.startswith("icml"))
    inner = "fer2013/fer2013.csv"
    if path.suffix == ".zst":
        content = zstandard.compress(content)
    elif path.suffix == ".zip":
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("example_submission.csv", "id,emotion\n1,0\n")
            archive.writestr(inner, content)
        content = packed.getvalue()
    elif path.name.endswith((".tar", ".tar.gz")):
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz" if path.suffix == ".gz" else "w") as archive:
            for name, data in (("fer2013/README", b"read me"), (inner, content)):
                member = tarfile.TarInfo(name)
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
        content = packed.getvalue()
    elif path.suffix == ".gz":
        content = gzip.compress(content)
    path.write_bytes(content)
    return path


def write_png(image: npt.NDArray[np.uint8], path: Path) -> None:
    """Write losslessly, with the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", image)[1].tobytes())


def write_folders(faces: Faces, folder: Path, *, folds: bool) -> Path:
    """``<class>/<row>.png``, with ``train`` and ``test`` above if ``folds``."""
    for row, image in enumerate(faces.images):
        fold = ("train" if faces.folds[row] == "Training" else "test") if folds else "."
        own = f"{faces.folds[row]}_{row:05}.png" if folds else f"{row:05}.png"
        write_png(image, folder / fold / faces.name(row) / own)
    return folder


def write_affectnet(faces: Faces, folder: Path, *, wrong_folder: Sequence[int] = ()) -> Path:
    """Class folders and ``labels.csv``; rows of ``wrong_folder`` lie in the folder of another class."""
    lines = [",pth,label,relFCs"]
    for row, image in enumerate(faces.images):
        shown = FER2013[(faces.codes[row] + 1) % 7] if row in wrong_folder else faces.name(row)
        name = f"{shown}/image{row:05}.png"
        write_png(image, folder / name)
        lines.append(f"{row},{name},{faces.name(row)},0.87")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def write_ferplus(votes: npt.NDArray[np.int64], folds: Sequence[str], path: Path) -> Path:
    """``fer2013new.csv`` with ``votes`` (N, 10) in FER+'s own order of columns."""
    lines = ["Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"]
    for row, (fold, counts) in enumerate(zip(folds, votes, strict=True)):
        lines.append(f"{fold},fer{row:07}.png,{','.join(map(str, counts))}")
    path.write_text("\n".join(lines) + "\n")
    return path


def write_demographics(folder: Path) -> Path:
    """``VideoDemographics.csv`` of CREMA-D, with its columns, quotes and kinds of values, about four made-up actors."""
    rows = (
        '"ActorID","Age","Sex","Race","Ethnicity"\n1001,51,"Male","Caucasian","Not Hispanic"\n'
        '1002,21,"Female","African American","Not Hispanic"\n1003,33,"Female","Unknown","Hispanic"\n'
        '1040,42,"Male","Asian","Not Hispanic"\n'
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "VideoDemographics.csv").write_text(rows)
    return folder / "VideoDemographics.csv"
