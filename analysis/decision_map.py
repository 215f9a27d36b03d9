"""What a network answers at every point of the unit square, and how early.

A protocol computes the map with `decision_grid` and stores it in the run folder as `decision_map` (arrays
`labels`, -1 for no answer, and `times` in ms, which may be missing); this command draws it.

examples:
  ttfs-pynn decision_map runs/yy7
"""

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from ttfs_pynn.analysis.style import CLASSES, GREY, command, figure, literal
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.errors import ResultsError


def grid_features(resolution=101):
    """Features (x, y, 1 - x, 1 - y) of the centres of resolution^2 cells, row by row from y = 0."""
    centres = (np.arange(resolution) + 0.5) / resolution
    y, x = np.meshgrid(centres, centres, indexing="ij")
    return np.stack([x, y, 1 - x, 1 - y], axis=-1).reshape(-1, 4)


def decision_grid(classify, resolution=101):
    """Arrays (resolution, resolution), row 0 at y = 0: labels, and times if `classify` returns them, or None.

    classify(features (n, 4)) -> labels (n,), -1 for no answer; or (labels, times of the answer in ms).
    """
    answer = classify(grid_features(resolution))
    labels, times = answer if isinstance(answer, tuple) else (answer, None)
    square = (resolution, resolution)
    return np.reshape(labels, square), None if times is None else np.reshape(times, square)


def picture(labels, times=None):
    """RGB of the map: the colour is the class, bright is early. No answer is grey."""
    palette = np.array([to_rgb(colour) for colour in (*CLASSES, GREY)])
    image = palette[np.where(labels < 0, -1, labels % len(CLASSES))]
    if times is not None:
        answered = (labels >= 0) & np.isfinite(times)
        shade = np.zeros(labels.shape)
        if answered.any():
            # A few very late answers must not flatten the rest.
            low, high = np.percentile(times[answered], [1, 99])
            shade[answered] = np.clip((times[answered] - low) / max(high - low, 1e-12), 0, 1)
        light, dark = 0.55 * (1 - shade)[..., None], 1 - 0.55 * shade[..., None]
        image = np.where(answered[..., None], (image * (1 - light) + light) * dark, image)
    return image


def draw(axes, labels, times=None, class_names=None, title=None):
    """The map of `decision_grid`. Returns the axes."""
    axes.imshow(picture(labels, times), origin="lower", extent=(0, 1, 0, 1), interpolation="nearest")
    axes.set(xlabel="x", ylabel="y", xticks=[0, 0.5, 1], yticks=[0, 0.5, 1], title=title)
    names = list(map(literal, class_names or ())) or [f"class {k}" for k in range(int(labels.max(initial=0)) + 1)]
    handles = [Patch(color=CLASSES[k % len(CLASSES)], label=name) for k, name in enumerate(names)]
    if (labels < 0).any():
        handles.append(Patch(color=GREY, label="no answer"))
    note = None if times is None else "bright: early"
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1, 1), title=note, handlelength=1)
    return axes


def main(arguments=None):
    folder, path = command("decision_map", __doc__, "decision_map", arguments)
    if folder.finished and not (folder.path / "decision_map.npz").is_file():
        copies = folder.configuration.get("copies", 1)
        raise ResultsError(f"{folder.path} has no decision_map.npz: " + (
            f"it was trained on {copies} copies of the network side by side, where a map takes too long" if copies > 1 else
            "its model has no function plane(resolution), which says where in the plane to look"))
    stored = folder.read_arrays("decision_map")
    with figure(path) as axes:
        draw(axes, stored["labels"], stored.get("times"), folder.configuration.get("classes"))
    print(path)


if __name__ == "__main__":
    run(main)
