"""Wall-clock time of one batch of 40 Yin-Yang samples, 4(+3 bias, x 5)-120-3, on the emulated chip with all noise on.

What is timed is all that a training step needs of the substrate: write the weights, set the input, run, read Neo, find first
spikes.

  python -m benchmarks.chip_speed
"""

import time

import numpy as np

from ttfs_pynn.learning.engine import first_spikes
from ttfs_pynn.models import yin_yang
from ttfs_pynn.runs.experiment import Experiment


def main(repetitions=30):
    seconds, cpu = [], []
    configuration = {"model": "yin_yang", "backend": "brainscales2", "dt": 0.1, "copies": 1,
                     "network": yin_yang.PARAMETERS["network"], "training": yin_yang.PARAMETERS["training"],
                     "hardware": {"chip": 0}}
    experiment = Experiment(yin_yang, configuration)
    network, data = experiment.network(seed=0), experiment.data["train"]
    parameters = experiment.initial_parameters()
    for k in range(repetitions + 2):
        begin, begin_cpu = time.perf_counter(), time.process_time()
        network.write(parameters)
        times = first_spikes(network.present(data.times[40 * k:40 * k + 40]))
        seconds.append(time.perf_counter() - begin)
        cpu.append(time.process_time() - begin_cpu)
    for name, values in (("wall clock", seconds), ("processor", cpu)):
        found = np.array(values[2:]) * 1e3  # the first ones compile
        print(f"{name:<11} minimum {found.min():.1f} ms, median {np.median(found):.1f} ms, most {found.max():.1f} ms")
    print(f"{np.isfinite(times['layer0']).sum() / 40:.0f} of 120 hidden neurons spike")


if __name__ == "__main__":
    main()
