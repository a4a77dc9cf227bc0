"""dlib's file is read as dlib computes, and a teacher begins with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
torch = pytest.importorskip("torch")
F = torch.nn.functional


@pytest.fixture(autouse=True)
def _scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))


def number(value: int) -> bytes:
    """As dlib writes it: the number of bytes, and the bytes."""
    length = max(1, (value.bit_length() + 7) // 8)
    return bytes([length]) + value.to_bytes(length, "little")


def layer(kind: str, values: np.ndarray) -> bytes:
    head = b"\x01" + bytes([len(kind)]) + kind.encode() + number(2) + number(len(values)) + number(1) * 3
    return head + values.astype("<f4").tobytes()


def a_file(where: Path, leave_out: int = 0) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Write a network like dlib's with drawn weights; kernels, biases, and scales with shifts."""
    from dlib_network import BLOCKS, STEM

    rng = np.random.default_rng(3)
    shapes, before = [(STEM, 3, 7)], STEM
    for channels, _ in BLOCKS:
        shapes += [(channels, before, 3), (channels, channels, 3)]
        before = channels
    made, content = [], b"\x01\x01\x01\rloss_metric_2"
    for out, into, side in shapes:
        kernel = rng.normal(0, (2 / (into * side * side)) ** 0.5, (out, into, side, side)).astype(np.float32)
        bias, affine = rng.normal(0, 0.1, out), np.concatenate([rng.uniform(0.3, 0.8, out), rng.normal(0, 0.1, out)])
        made.append((kernel, bias.astype(np.float32), affine.astype(np.float32)))
        content += layer("con_4", np.concatenate([kernel.ravel(), bias])) + layer("affine_", affine)
    where.write_bytes(content if not leave_out else content[:-leave_out])
    return made


def as_dlib(made: list[tuple[np.ndarray, np.ndarray, np.ndarray]], pixels: torch.Tensor) -> torch.Tensor:
    """Features ``(N, 256)`` of grey pixels of 0 to 255, layer by layer."""
    from dlib_network import BLOCKS, COLOURS

    layers = iter(made)

    def convolved(x: torch.Tensor, stride: int, padding: int) -> torch.Tensor:
        kernel, bias, affine = (torch.from_numpy(each) for each in next(layers))
        times, plus = affine.view(2, 1, -1, 1, 1)
        return times * F.conv2d(x, kernel, bias, stride, padding) + plus

    x = (pixels.expand(-1, 3, -1, -1) - torch.tensor(COLOURS).view(3, 1, 1)) / 256
    x = F.max_pool2d(F.relu(convolved(x, 2, 0)), 3, 2)
    for channels, stride in BLOCKS:
        y = F.pad(x, (0, 1, 0, 1)) if stride == 2 and x.shape[-1] % 2 == 0 else x
        y = convolved(F.relu(convolved(y, stride, 2 - stride)), 1, 1)
        short = F.avg_pool2d(x, 2) if stride == 2 else x
        x = F.relu(y + F.pad(short, (0, 0, 0, 0, 0, channels - short.shape[1])))
    return x.mean((2, 3))


def test_the_weights_answer_as_in_dlib(tmp_path: Path) -> None:
    from dlib_network import Dlib, with_weights

    made = a_file(tmp_path / "net.dat")
    pixels = torch.from_numpy(np.random.default_rng(1).integers(0, 256, (6, 1, 99, 99)).astype(np.float32))
    taken = (pixels / 255 - 0.5) * 4
    net = with_weights(Dlib(5, 99), tmp_path / "net.dat", taken[:4], 0.5, 4.0)
    assert net(taken).shape == (6, 5)
    net.head = torch.nn.Identity()
    with torch.no_grad():
        expected = as_dlib(made, pixels)
        np.testing.assert_allclose(net(taken), expected, rtol=2e-3, atol=2e-3 * float(expected.abs().max()))
        batch = net.train()(taken[:4])
    assert float((batch - expected[:4]).abs().max()) < 0.1 * float(expected.abs().max()), "training begins from there"


def test_another_file_is_refused(tmp_path: Path) -> None:
    from dlib_network import Dlib, with_weights

    faces = torch.zeros(2, 1, 99, 99)
    (tmp_path / "other.dat").write_bytes(b"no network")
    with pytest.raises(SystemExit, match=r"29 convolutions with scales expected, found 0 layers"):
        with_weights(Dlib(5, 99), tmp_path / "other.dat", faces, 0.5, 4.0)
    a_file(tmp_path / "cut.dat", leave_out=100)
    with pytest.raises(SystemExit, match=r"cannot be read; bring dlib's file as it was made"):
        with_weights(Dlib(5, 99), tmp_path / "cut.dat", faces, 0.5, 4.0)
