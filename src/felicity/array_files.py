"""NumPy archives (``.npz``) from untrusted sources, whose bounds are checked before anything is unpacked."""

from __future__ import annotations

import io
import math
import zipfile
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from felicity.zips import open_zip

MOST_ARRAYS = 20_000


def read_arrays(file: IO[bytes] | bytes, most: int, *, packed: bool = True) -> dict[str, npt.NDArray[Any]]:
    """Return the arrays of an archive by name.

    ``most``: the limit in bytes of all unpacked arrays together. ``packed``: False to accept uncompressed members only,
    so that a small file cannot hold large arrays. Raises ValueError.
    """
    try:
        with open_zip(io.BytesIO(file) if isinstance(file, bytes) else file, MOST_ARRAYS) as archive:
            members = archive.infolist()
            total = sum(member.file_size for member in members)
            if total > most:
                raise ValueError(f"{len(members)} arrays of {total:,} bytes are more than the {most:,} bytes allowed")
            if not packed and any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise ValueError("its arrays are packed, and ours are not")
            return {member.filename.removesuffix(".npy"): _array(archive, member) for member in members}
    except ValueError:
        raise
    except Exception as error:  # zipfile and numpy raise anything, from struct.error to RecursionError
        raise ValueError(f"no NumPy archive ({error})") from error


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> npt.NDArray[Any]:
    with archive.open(member) as stream:
        content = stream.read(member.file_size)
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(file)
    # NumPy allocates an array before it reads the values.
    if dtype.hasobject or math.prod(shape) * dtype.itemsize > len(content) or min(shape, default=0) < 0:
        raise ValueError(f"{member.filename}: an array of {dtype} {shape} is not in {len(content):,} bytes")
    file.seek(0)
    array: npt.NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
    return array
