"""Train a first-spike network in the loop: a PyNN simulator runs it, its recorded spike times teach it.

Each batch is presented to the network on the chosen simulator; the first-spike times of inputs, hidden and label neurons are read
from Neo; analytic weight updates are computed from these times alone and written back. After each epoch a checkpoint is written.

The run folder gets configuration.toml, history.json, metrics.json (test_accuracy, seconds_per_epoch, latency, spikes_per_sample),
graph.npz and parameters.npz (the network, what it learned), fitted.npz (what a model with `fit` took from the training data),
checkpoint.npz, the spikes of one test sample before and after training (spikes/NAME.nix), and versions.toml. Several copies side
by side, as on brian2, give those after training only and no decision_map.npz; arrays record no spikes.

examples:
  ttfs-pynn train yin_yang --epochs 30 --seed 7 --output runs/yy7
  ttfs-pynn train yin_yang --epochs 60 --seed 7 --output runs/yy7 --resume     (an interrupted run goes on)
  ttfs-pynn train yin_yang --set network.hidden=30 --set training.max_dw=0.1 --output runs/small
  ttfs-pynn train my_network.py --output runs/mine                 (build(sim) of your own in PyNN, and data())
  ttfs-pynn train yin_yang --preset paper --output runs/paper       (as Göltz, Kriener et al. 2021 trained)
  ttfs-pynn train yin_yang --backend brian2 --epochs 10 --output runs/brian2
  ttfs-pynn train yin_yang --backend brainscales2 --chip 3 --output runs/chip3
  ttfs-pynn train mnist16 --backend arrays --hardware-network --output runs/ideal                (first ideally,
  ttfs-pynn train mnist16 --backend brainscales2 --chip 1 --from runs/ideal --output runs/chip1   then in the loop)
"""

import tomllib
from argparse import ArgumentTypeError

from ttfs_pynn.commands.command_line import ArgumentParser, run, when_stopped
from ttfs_pynn.commands.progress import Progress
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.runs import model_files
from ttfs_pynn.runs.experiment import ARRAYS, FITTED, FREE, Experiment
from ttfs_pynn.runs.finished import parameters_of
from ttfs_pynn.runs.folder import RunFolder
from ttfs_pynn.runs.settings import Settings, training_option
from ttfs_pynn.simulators import SIMULATORS, simulator

# What to do about a run that was stopped; a demo has no --resume.
RESUME = "the run has lost no more than its unfinished epoch: the same command with --resume continues it"
AGAIN = "the same command begins anew"


def parser():
    p = ArgumentParser(prog="ttfs-pynn train", description=__doc__)
    p.add_argument("model", help=f"what to train: {', '.join(model_files.names())}; NAME of a NAME.py in this folder; or the "
                   "path of a Python file (ttfs-pynn new writes one)")
    p.add_argument("--backend", default="exact", help=f"simulator: {', '.join(SIMULATORS)} (default exact); or {ARRAYS}: the "
                   "same mathematics as exact without PyNN and Neo, fastest, and without recorded spikes (evaluate records some)")
    p.add_argument("--epochs", type=int, help="how many in all (default: the model's)")
    p.add_argument("--seed", type=int, default=0, help="of initial weights and sample order (default 0)")
    p.add_argument("--output", required=True, metavar="DIR", help="run folder to make")
    p.add_argument("--resume", action="store_true", help="continue the run in DIR after its last checkpoint")
    p.add_argument("--overwrite", action="store_true", help="replace a run that is in DIR")
    p.add_argument("--batch-size", type=int, metavar="N", help="samples a weight update (default: the model's)")
    p.add_argument("--learning-rate", type=float, metavar="R", help="in units of the weight scale (default: the model's)")
    p.add_argument("--preset", metavar="NAME", help="values of the model's PRESETS in place of its own, such as paper: as "
                   "the paper's authors trained")
    p.add_argument("--set", dest="settings", type=_assignment, action="append", default=[], metavar="TABLE.NAME=VALUE",
                   help="another value in the model's PARAMETERS, such as network.hidden=30 or training.schedule=constant")
    p.add_argument("--dt", type=float, metavar="MS",
                   help="time step of simulators that have one (default 0.1 ms)")
    p.add_argument("--copies", type=int, metavar="N",
                   help="copies of the network side by side, one sample each (default: 1 on exact, the batch size on brian2 "
                   "and where neurons do not leak)")
    p.add_argument("--chip", type=int, metavar="N", help="virtual chip of the backend brainscales2 (default 0)")
    p.add_argument("--from", dest="start", metavar="RUN", help="begin with the weights of this finished run of the same network")
    p.add_argument("--hardware-network", action="store_true",
                   help="with --backend arrays: the network that the model has on a chip, weights within the chip's range")
    p.add_argument("--profile", metavar="FILE", help="of the chip, by ttfs-pynn characterise: gradients assume what was measured")
    p.add_argument("--input-copies", type=int, metavar="N", help="sources that stand for one input on brainscales2 (default: the "
                   "model's, or 5)")
    p.add_argument("--window", type=float, metavar="US", help="from one sample to the next on brainscales2 (default: until what "
                   "is left of a sample is less than the noise)")
    p.add_argument("--circuits", type=int, metavar="N", help="circuits of the chip that a neuron is: 1, or 2 for twice as many "
                   "synapses (default: the model's, or 1)")
    p.add_argument("--non-ideality", type=_setting, action="append", default=[], metavar="NAME=SIZE",
                   help="of the chip, such as event_loss=0.01, in place of its default; off=true begins with none of them")
    return p


def _setting(text):
    """('name', number or bool) of NAME=SIZE."""
    name, _, value = text.partition("=")
    try:
        return name, value.lower() == "true" if value.lower() in ("true", "false") else float(value)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no NAME=SIZE; give a number, true or false after the =") from None


def _assignment(text):
    """(table, name, value) of TABLE.NAME=VALUE, the value as in a TOML file, or a text without quotes."""
    where, equals, value = text.partition("=")
    table, dot, name = where.strip().partition(".")
    if not (equals and dot and name):
        raise ArgumentTypeError(f"{text!r} is no TABLE.NAME=VALUE, such as network.hidden=30")
    try:
        return table, name, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return table, name, value


def configuration(a, stored=None):
    """The dict that the run folder keeps, from the command line and the model's own values; a resumed run keeps its epochs."""
    hardware = {name: value for name, value in (("chip", a.chip), ("profile", a.profile), ("input_copies", a.input_copies),
                                                ("circuits", a.circuits), ("window", a.window),
                                                ("non_idealities", dict(a.non_ideality)))
                if value not in (None, {})}
    return Settings(a.model, a.backend, a.seed, a.epochs, a.batch_size, a.learning_rate, a.dt, a.copies, hardware,
                    a.hardware_network, a.start, a.preset, tuple(a.settings)).configuration(stored)


def _start(path, experiment):
    """The parameters of the run at `path`; None without one."""
    if path is None:
        return None
    return parameters_of(RunFolder.open(path), experiment, "--from wants a run of the network to train; see --hardware-network")


def _start_fitted(path, model):
    """What the run at `path` fitted, to which its parameters belong; None without one, or where the model fits nothing."""
    return None if path is None or not hasattr(model, "fit") else RunFolder.open(path).read_arrays(FITTED)


def _check_epochs(folder, trainer, settings, stored):
    """Refuse fewer epochs than are done; say so where another number changes the learning rates still to come."""
    epochs, before = training_option(settings["training"], "epochs"), training_option(stored["training"], "epochs")
    done = folder.checkpoint_for(trainer)[1]["epoch"] if folder.has_checkpoint else 0
    if epochs < done:
        raise ConfigurationError(f"--epochs {epochs}: {done} epochs are done already; give {done} or more")
    changing = [training_option(settings["training"], "schedule") not in ("constant", "step_decay")]
    changing += [isinstance(value, dict) for value in settings["training"].get("loss_options", {}).values()]
    if epochs != before and any(changing):
        print(f"note: what changes during training now ends at epoch {epochs}, not {before}; a run of {epochs} from the start "
              "differs")


def train(a, **marks):
    """Train as the command line says. Returns (metrics, folder, experiment, trainer). marks: more of its configuration."""
    if a.resume and a.overwrite:
        raise ConfigurationError("--resume continues a run, --overwrite replaces it; give one of them")
    resuming = a.resume and RunFolder.begun(a.output)
    stored = RunFolder.open(a.output).configuration if resuming else None
    settings = {**marks, **configuration(a, stored)}
    if a.backend != ARRAYS:
        simulator(a.backend).load()
    model = model_files.load(a.model)
    if resuming and RunFolder.open(a.output).has_checkpoint:  # a script of the user's may draw another network today
        experiment = Experiment.of_run(model, settings, RunFolder.open(a.output))
    else:
        experiment = Experiment(model, settings, fitted=_start_fitted(a.start, model))
    settings, parameters = experiment.configuration, _start(a.start, experiment)
    network = experiment.network(parameters=parameters, seed=a.seed)
    trainer = experiment.trainer(network, callbacks=() if a.quiet else (Progress(),), parameters=parameters)
    # Nothing is written before everything that was asked for has been found possible.
    if resuming:
        _check_epochs(RunFolder.open(a.output, settings, free=FREE), trainer, settings, stored)
        if model_files.changed(experiment.model.__file__, RunFolder.open(a.output)):
            print(f"note: {experiment.model.__file__} is not as it was when the run began ({a.output}/model.py)")
        folder = experiment.open_folder(a.output)
    else:
        if a.resume:
            print(f"nothing to resume in {a.output}: a new run starts")
        folder = experiment.create_folder(a.output, a.overwrite)
    # The folder is locked: no other process writes there meanwhile. Before it was made there is nothing to resume.
    with folder, when_stopped(AGAIN if marks else RESUME):
        trainer.folder = folder
        if folder.has_checkpoint:
            warning = folder.resume(trainer)
            if warning:
                print(f"warning: {warning}")
        elif network.n_copies == 1:
            experiment.record_sample(network, folder, "before")
        trainer.run()
        metrics, _ = experiment.finish(trainer, folder)
        if network.n_copies == 1 and hasattr(experiment.model, "plane"):  # a map is dear where copies are worth while
            experiment.map_decisions(network, folder)
        if network.n_copies > 1:
            network = experiment.network(parameters=trainer.parameters, seed=a.seed, copies=1)
        experiment.record_sample(network, folder, "after")
    return metrics, folder, experiment, trainer


def main(arguments=None):
    metrics, folder, _, _ = train(parser().parse_args(arguments))
    print(f"test accuracy      {metrics['test_accuracy']:.4f}  ({metrics['test_samples']} samples)")
    print(f"decision after     {metrics['latency_tau_syn']:.2f} tau_syn")
    print(f"spikes a sample    {metrics['spikes_per_sample']:.1f}")
    print(f"seconds an epoch   {metrics['seconds_per_epoch']:.2f}")
    if "microjoule_per_sample" in metrics:
        print(f"on the chip        {metrics['hardware_us_per_sample']:.0f} us a sample, "
              f"{metrics['samples_per_second']:.0f} samples a second, {metrics['microjoule_per_sample']:.1f} uJ a sample")
    print(f"run folder         {folder.path}")


if __name__ == "__main__":
    run(main)
