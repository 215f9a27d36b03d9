"""The tour, in two minutes: train 4(+3 bias)-120-3 on Yin-Yang on the exact simulator, replay the trained network on Brian2, draw.

`make demo` runs it. The run folder is runs/demo; an earlier demo there is replaced.
"""

import matplotlib.image
from matplotlib.figure import Figure

from analysis import decision_map, latency_histogram, learning_curve, raster
from models import yin_yang
from protocols import evaluate, train
from ttfs_pynn.command_line import ArgumentParser, run


def parser():
    p = ArgumentParser(prog="python -m protocols.demo", description=__doc__)
    p.add_argument("--output", default="runs/demo", metavar="DIR", help="run folder (default runs/demo)")
    p.add_argument("--epochs", type=int, default=30, help="of training (default 30)")
    p.add_argument("--seed", type=int, default=7, help="of the run (default 7)")
    p.add_argument("--samples", type=int, default=100, help="test samples that Brian2 replays (default 100)")
    return p


def figures(folder):
    """Draw every figure of the run, and one sheet of all of them. Returns the path of the sheet."""
    parts = []
    for module, name in ((learning_curve, "learning_curve"), (raster, "raster"), (decision_map, "decision_map"),
                         (latency_histogram, "latency_histogram")):
        path = folder.figure_path(f"{name}.png")
        module.main([str(folder.path), "--output", str(path)])
        parts.append(path)
    sheet = Figure(figsize=(11, 9))
    for axes, path in zip(sheet.subplots(2, 2).ravel(), parts, strict=True):
        axes.imshow(matplotlib.image.imread(path))
        axes.axis("off")
    sheet.tight_layout(pad=0.2)
    overview = folder.figure_path("overview.png")
    sheet.savefig(overview, dpi=150)
    return overview


def main(arguments=None):
    a = parser().parse_args(arguments)
    print(f"Training 4(+{len(yin_yang.PARAMETERS['network']['bias_times'])})-{yin_yang.PARAMETERS['network']['hidden']}-3 on "
          "Yin-Yang, on the exact simulator", flush=True)
    metrics, folder, experiment, trainer = train.train(train.parser().parse_args(
        ["yin_yang", "--epochs", str(a.epochs), "--seed", str(a.seed), "--output", a.output, "--overwrite"]))
    print(f"Replaying {a.samples} test samples on Brian2 (dt 0.1 ms = 0.01 tau_syn)", flush=True)
    result = evaluate.compare(experiment, trainer.weights, "brian2", 0.1, a.samples)
    folder.write_json("evaluation_brian2.json", result)
    print("Drawing", flush=True)
    overview = figures(folder)
    print(f"\ntest accuracy on exact    {metrics['test_accuracy']:.4f}  ({metrics['test_samples']} test samples)")
    print("\n".join(evaluate.table(result)))
    print(f"seconds an epoch          {metrics['seconds_per_epoch']:.2f}")
    print(f"decision after            {metrics['latency_tau_syn']:.2f} tau_syn, {metrics['spikes_per_sample']:.0f} spikes a sample")
    print(f"figures                   {overview.parent} (all on one sheet: {overview.name})")


if __name__ == "__main__":
    run(main)
