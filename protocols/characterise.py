"""Measure the neurons of a (virtual) chip by experiments on it: leak, threshold, time constants and strength of each.

Writes a profile (.npz) that ttfs-pynn train --profile takes, and prints what was found. Calibration targets are those of the
chip's networks, with the time constants given here.

examples:
  ttfs-pynn characterise --chip 3 --output profiles/chip3.npz
  ttfs-pynn train yin_yang --backend brainscales2 --chip 3 --profile profiles/chip3.npz --output runs/chip3
"""

import sys
from pathlib import Path

import numpy as np

from ttfs_pynn.brainscales2.characterisation import characterise
from ttfs_pynn.commands.command_line import ArgumentParser, run
from ttfs_pynn.errors import ConfigurationError
from ttfs_pynn.neuron import LIFParameters
from ttfs_pynn.simulators import simulator

UNITS = {"v_rest": "LSB", "v_thresh": "LSB", "tau_m": "us", "tau_syn_E": "us", "tau_syn_I": "us", "gain_E": "LSB/us",
         "gain_I": "LSB/us"}


def parser():
    p = ArgumentParser(prog="ttfs-pynn characterise", description=__doc__)
    p.add_argument("--chip", type=int, default=0, metavar="N", help="which virtual chip (default 0)")
    p.add_argument("--output", required=True, metavar="FILE", help="profile to write (.npz)")
    p.add_argument("--tau-m", type=float, default=10.0, metavar="US", help="target of tau_m (default 10 us)")
    p.add_argument("--tau-syn", type=float, default=10.0, metavar="US", help="target of tau_syn (default 10 us)")
    p.add_argument("--neurons", type=int, default=512, metavar="N", help="the first N circuits (default: all 512)")
    p.add_argument("--repetitions", type=int, default=40, metavar="N", help="of each experiment (default 40)")
    p.add_argument("--seed", type=int, default=0, help="of the noise of the experiments (default 0)")
    p.add_argument("--overwrite", action="store_true", help="replace an existing profile")
    return p


def as_lines(profile):
    """What was measured, as lines of text."""
    lines = [f"{'':<10}{'mean':>10}{'std':>10}{'std/mean':>10}  not measured"]
    for name, values in profile.values.items():
        found = values[np.isfinite(values)]
        lines.append(f"{name:<10}{found.mean():>10.4g}{found.std():>10.3g}{found.std() / found.mean():>10.2%}"
                     f"  {values.size - found.size} of {values.size} ({UNITS[name]})")
    return lines


def main(arguments=None):
    a = parser().parse_args(arguments)
    path = Path(a.output)
    if path.exists() and not a.overwrite:
        raise ConfigurationError(f"{path} exists; give another name, or --overwrite")
    if not 1 <= a.neurons <= 512 or a.repetitions < 1:
        raise ConfigurationError(f"--neurons {a.neurons} --repetitions {a.repetitions}: a chip has 1 to 512 neurons, and each "
                                 "experiment needs a repetition")
    backend = simulator("brainscales2")
    try:
        targets = backend.targets(LIFParameters(tau_m=a.tau_m, tau_syn=a.tau_syn))
    except ValueError as error:
        raise ConfigurationError(f"--tau-m {a.tau_m:g} --tau-syn {a.tau_syn:g}: {error}") from None
    profile = characterise(backend.load(), a.chip, targets, np.arange(a.neurons), a.repetitions, a.seed,
                           lambda text: None if a.quiet else print(f"measuring: {text}", file=sys.stderr, flush=True))
    profile.save(path)
    print("\n".join(as_lines(profile)))
    print(f"profile   {path}")


if __name__ == "__main__":
    run(main)
