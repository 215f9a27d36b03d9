"""PyNN's connectors with the adapter's two further arguments: which compartment a connection leaves and which it reaches."""

import inspect

from pyNN import connectors

from ttfs_pynn.event_driven import connectors as mended

__all__ = []


def _with_locations(base):
    def __init__(self, *args, location_selector=None, source_location_selector=None, **kwargs):
        base.__init__(self, *args, **kwargs)
        self.location_selector, self.source_location_selector = location_selector, source_location_selector

    return type(base.__name__, (base,), {"__init__": __init__, "__doc__": base.__doc__, "__module__": __name__})


for _name, _class in inspect.getmembers(connectors, inspect.isclass):
    if issubclass(_class, connectors.Connector) and _class is not connectors.Connector:
        globals()[_name] = _with_locations(getattr(mended, _name, _class))
        __all__.append(_name)


def _not_available(self, projection):
    raise NotImplementedError("SmallWorldConnector is not available here; use FixedProbabilityConnector or FromListConnector")


globals()["SmallWorldConnector"].connect = _not_available
