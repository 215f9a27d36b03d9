"""Progress of a training run: a bar in a terminal, plain lines elsewhere."""

import sys
from collections.abc import Mapping
from typing import IO, Any

from tqdm import tqdm

from ttfs_pynn.learning.trainer import Callback, Trainer

__all__ = ["Progress"]


def _text(record: Mapping[str, Any]) -> str:
    parts = [f"loss {record['train_loss']:.3g}", f"train {record['train_accuracy']:.3f}"]
    if "validation_accuracy" in record:
        parts.append(f"validation {record['validation_accuracy']:.3f}")
    return "  ".join(parts)


class Progress(Callback):
    """Shows each epoch on `stream` (standard error)."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self.stream = stream or sys.stderr
        self._bar: Any = None

    def on_train_begin(self, trainer: Trainer) -> None:
        total = trainer.options.epochs
        if self.stream.isatty():
            self._bar = tqdm(total=total, initial=trainer.epoch, unit="epoch", file=self.stream, dynamic_ncols=True)
            if not trainer.epoch:
                self._bar.set_postfix_str("compiling")
        elif trainer.epoch < total:
            print(f"training epochs {trainer.epoch + 1} to {total} (the first compiles)", file=self.stream, flush=True)

    def on_epoch_end(self, trainer: Trainer, record: dict[str, Any]) -> None:
        if self._bar is not None:
            self._bar.set_postfix_str(_text(record))
            self._bar.update(1)
        else:
            print(f"epoch {record['epoch']:4d}/{trainer.options.epochs}  {_text(record)}  {record['seconds']:.2f} s",
                  file=self.stream, flush=True)

    def on_train_end(self, trainer: Trainer) -> None:
        if self._bar is not None:
            self._bar.close()
