"""The tour, in two minutes: train 4(+3 bias)-120-3 on Yin-Yang on the exact simulator, replay it on Brian2, draw.

`make demo` runs it. The run folder is runs/demo; an earlier demo there is replaced, anything else is not touched.
"""

from matplotlib import rc_context
from matplotlib.figure import Figure

from ttfs_pynn.analysis import decision_map, decision_time, latency_histogram, learning_curve, raster
from ttfs_pynn.analysis.style import RC
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ResultsError
from ttfs_pynn.files.atomic import atomic_file
from ttfs_pynn.models import yin_yang
from ttfs_pynn.protocols import evaluate, train
from ttfs_pynn.runs.folder import RunFolder


def parser():
    p = ArgumentParser(prog="ttfs-pynn demo", description=__doc__)
    p.add_argument("--output", default="runs/demo", metavar="DIR", help="run folder (default runs/demo)")
    p.add_argument("--epochs", type=int, default=30, help="of training (default 30)")
    p.add_argument("--seed", type=int, default=7, help="of the run (default 7)")
    p.add_argument("--samples", type=int, default=100, help="test samples that Brian2 replays (default 100)")
    return p


def _make_room(path):
    """ResultsError where something else than an earlier demo is in the way."""
    if RunFolder.begun(path) and not (RunFolder.exists(path) and RunFolder.open(path).configuration.get("demo")):
        raise ResultsError(f"{path} holds something else than an earlier demo (or one of an earlier version), and only that is "
                           "replaced; name another folder with --output, or delete it")


def figures(folder):
    """Draw every figure of the run, and all of them on one sheet. Returns the path of the sheet."""
    for module, name in ((learning_curve, "learning_curve"), (raster, "raster"), (decision_map, "decision_map"),
                         (latency_histogram, "latency_histogram")):
        module.main([str(folder.path), "--output", str(folder.figure_path(f"{name}.png"))])
    sheet = folder.figure_path("overview.png")
    history, classes = folder.read_history(), folder.configuration["classes"]
    tau_syn = decision_time.tau_syn_of(folder)
    with rc_context(RC):
        drawing = Figure(figsize=(11, 6.6))
        axes = drawing.subplot_mosaic([["before", "after", "map"], ["loss", "error", "latency"]])
        blocks = {name: raster.readable(raster.stored_blocks(folder, name)) for name in ("before", "after")}
        stop = raster.last_spike(blocks.values())  # one axis for both
        for name in blocks:
            raster.draw(axes[name], blocks[name], 0.0, stop, tau_syn, f"one sample, {name} training")
        answers = folder.read_arrays("decision_map")
        decision_map.draw(axes["map"], answers["labels"], answers["times"], classes, "decisions")
        learning_curve.draw_loss(axes["loss"], history)
        learning_curve.draw_error(axes["error"], history)
        decisions = folder.read_arrays("decisions")
        latency_histogram.draw(axes["latency"], decisions["label_times"].min(axis=1) / tau_syn, decisions["labels"], classes)
        with atomic_file(sheet) as file:
            drawing.savefig(file, format="png", dpi=110)
    return sheet


def main(arguments=None):
    a = parser().parse_args(arguments)
    _make_room(a.output)
    print(f"Training 4(+{len(yin_yang.PARAMETERS['network']['bias_times'])})-{yin_yang.PARAMETERS['network']['hidden']}-3 on "
          "Yin-Yang, on the exact simulator", flush=True)
    metrics, folder, experiment, trainer = train.train(train.parser().parse_args(
        ["yin_yang", "--epochs", str(a.epochs), "--seed", str(a.seed), "--output", a.output, "--overwrite"]), demo=True)
    print(f"Replaying {a.samples} test samples on Brian2 (dt 0.1 ms = 0.01 tau_syn)", flush=True)
    result = evaluate.compare(experiment, trainer.parameters, "brian2", 0.1, a.samples)
    folder.write_json("evaluation_brian2.json", result)
    print("Drawing", flush=True)
    overview = figures(folder)
    print(f"\ntest accuracy on exact         {metrics['test_accuracy']:.4f}  ({metrics['test_samples']} test samples)")
    print("\n".join(evaluate.as_lines(result)))
    print(f"seconds an epoch               {metrics['seconds_per_epoch']:.2f}")
    print(f"decision after                 {metrics['latency_tau_syn']:.2f} tau_syn, "
          f"{metrics['spikes_per_sample']:.0f} spikes a sample")
    print(f"figures                        {overview.parent} (all on one sheet: {overview.name})")


if __name__ == "__main__":
    run(main)
