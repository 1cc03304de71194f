"""Mean and covariance of the features of images, in files as the paper's authors publish them for FID.

mu       float [d]
sigma    float [d, d]
count    how many images they are of; features: the digest of what made them. In files of ours only.
"""

from __future__ import annotations

import zipfile
import zlib
from typing import TYPE_CHECKING

import numpy as np
import torch

from edm.base.atomic import atomic
from edm.base.errors import Refused
from edm.base.paths import expanded
from edm.evaluation.frechet import Moments

if TYPE_CHECKING:
    from edm.base.types import StrPath

MAX_BYTES = 1 << 30  # of one array; 2048 features take 32 MiB
_ASYMMETRY = 1e-6  # of the largest entry: what other ways to sum leave
_DAMAGED = (zipfile.BadZipFile, zlib.error, ValueError, EOFError, KeyError, NotImplementedError, OSError)


def read(path: StrPath) -> tuple[Moments, str]:
    """The moments in a .npz file, and the digest of the features that they are of, "" where it does not say.

    Raises Refused that names the file and says what is wrong with it, FileNotFoundError if there is none.
    """
    if "://" in str(path):
        raise Refused(f"{path} is an address; download the file, and give its name")
    path = expanded(path)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no file {path} of reference statistics, such as cifar10-32x32.npz, nor a folder of images"
        )
    try:
        return _checked(_arrays(path))
    except Refused as error:
        raise Refused(f"{path} has no reference statistics for FID: {error!s:.300}") from None


def write(path: StrPath, moments: Moments, features: str = "") -> None:
    """A file that `read` reads, and the paper's own program too. features: the digest of what they are of."""
    arrays = {"mu": moments.mean.numpy(), "sigma": moments.covariance.numpy(), "features": np.array(features)}
    if moments.count is not None:
        arrays["count"] = np.array(moments.count)
    with atomic(path) as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]


def _arrays(path) -> dict[str, np.ndarray]:
    """Those of the file, none of which may be larger than any such array is."""
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()}
        if too_large := [name for name, size in sizes.items() if size > MAX_BYTES]:
            raise Refused(f"its {too_large[0]:.40} has {sizes[too_large[0]] / 1e9:.1f} GB")
        if missing := [name for name in ("mu", "sigma") if name not in sizes]:
            raise Refused(f"it has {', '.join(sizes) or 'nothing':.100}, and {' and '.join(missing)} is missing")
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in ("mu", "sigma", "count", "features") if name in sizes}
    except Refused:
        raise
    except _DAMAGED as error:
        raise Refused(f"it is no .npz file, or damaged ({str(error) or type(error).__name__:.100})") from None


def _checked(arrays) -> tuple[Moments, str]:
    mu, sigma = arrays["mu"], arrays["sigma"]
    if mu.ndim != 1 or not len(mu) or sigma.shape != (len(mu), len(mu)):
        raise Refused(f"its mu and sigma have shapes {list(mu.shape)} and {list(sigma.shape)}, not [d] and [d, d]")
    for name, array in (("mu", mu), ("sigma", sigma)):
        if array.dtype.kind != "f" or array.dtype.itemsize > 8:
            raise Refused(f"its {name} is of {array.dtype}, not of float64 or float32")
        if not np.isfinite(array).all():
            raise Refused(f"its {name} holds NaN or infinity")
    mean, covariance = (torch.from_numpy(array.astype(np.float64)) for array in (mu, sigma))
    if float((covariance - covariance.T).abs().max()) > _ASYMMETRY * float(covariance.abs().max()):
        raise Refused("its sigma is not symmetric, so that it is no covariance")
    if float(covariance.diagonal().min()) < 0:
        raise Refused("its sigma has negative variances")
    count, features = arrays.get("count"), arrays.get("features")
    number = int(count) if count is not None and count.shape == () and count.dtype.kind in "iu" else None
    digest = str(features) if features is not None and features.shape == () and features.dtype.kind == "U" else ""
    return Moments(mean, (covariance + covariance.T) / 2, number), digest
