"""See `ttfs_pynn.event_driven.populations`."""

from pyNN import common

from ttfs_pynn.event_driven import populations
from ttfs_pynn.exact import simulator
from ttfs_pynn.exact.recording import Recorder


class Assembly(populations.Assembly):
    __doc__ = common.Assembly.__doc__
    _simulator = simulator


class PopulationView(populations.PopulationView):
    __doc__ = common.PopulationView.__doc__
    _simulator = simulator
    _assembly_class = Assembly


class Population(populations.Population):
    __doc__ = common.Population.__doc__
    _simulator = simulator
    _recorder_class = Recorder
    _assembly_class = Assembly
    _view_class = PopulationView
