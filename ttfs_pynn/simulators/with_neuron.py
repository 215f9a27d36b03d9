"""pyNN.neuron."""

import os
import sysconfig

from ttfs_pynn.simulators.base import Simulator

__all__ = ["Neuron"]


class Neuron(Simulator):
    """NEURON 9.0, fixed step: implicit Euler, and spikes are found at steps."""

    def load(self):
        # pyNN.neuron 0.13 compiles its mechanisms at the first import with nrnivmodl, and looks for that on PATH alone.
        scripts = sysconfig.get_path("scripts")
        if scripts not in os.environ.get("PATH", "").split(os.pathsep):
            os.environ["PATH"] = os.pathsep.join([scripts, os.environ.get("PATH", "")])
        return super().load()
