"""Features and labels that belong together."""

from dataclasses import dataclass

import numpy as np

from ttfs_pynn.errors import DatasetError

__all__ = ["Dataset"]


@dataclass(frozen=True, eq=False)
class Dataset:
    """`features` (n, inputs) floats, `labels` (n,) integers: indices of `class_names`.

    The arrays are read-only copies. DatasetError where the shapes do not fit, a feature is not finite or a
    label names no class.
    """

    features: np.ndarray
    labels: np.ndarray
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        features, labels = np.array(self.features, dtype=float), np.array(self.labels)
        if features.ndim != 2 or labels.shape != features.shape[:1]:
            raise DatasetError(f"features of shape {features.shape} and labels of shape {labels.shape}: "
                               "they must be (n, inputs) and (n,)")
        if not np.issubdtype(labels.dtype, np.integer):
            raise DatasetError(f"labels are {labels.dtype}, they must be integers: indices of class_names")
        if not np.isfinite(features).all():
            raise DatasetError(f"{int((~np.isfinite(features)).sum())} features are not finite")
        if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.class_names):
            raise DatasetError(f"labels run from {labels.min()} to {labels.max()}, but there are "
                               f"{len(self.class_names)} class names")
        labels = labels.astype(np.int64)
        features.flags.writeable = labels.flags.writeable = False
        object.__setattr__(self, "features", features)
        object.__setattr__(self, "labels", labels)
        object.__setattr__(self, "class_names", tuple(self.class_names))

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: slice | np.ndarray) -> "Dataset":
        """The samples that a slice or an index array picks, as a data set."""
        if not isinstance(index, slice) and np.ndim(index) == 0:
            raise TypeError(f"{index!r} picks one sample; use a slice or an array, which make a data set")
        return Dataset(self.features[index], self.labels[index], self.class_names)
