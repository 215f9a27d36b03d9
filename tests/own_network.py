"""A PyNN network as its author has it who does not know of ttfs_pynn; of the benchmarks too."""
import numpy as np
from pyNN.space import Line
CELL = dict(tau_m=20.0, tau_syn_E=5.0, tau_syn_I=5.0, cm=1.0, v_rest=-65., v_reset=-65., v_thresh=-50., i_offset=0.)

def build(sim, refrac):
    rng = sim.NumpyRNG(seed=11)
    cell = lambda: sim.IF_curr_exp(**CELL, tau_refrac=refrac)
    A = sim.Population(6, sim.SpikeSourceArray(), label="A", structure=Line(dx=20.))
    B = sim.Population(6, sim.SpikeSourceArray(), label="B", structure=Line(dx=20.))
    E = sim.Population(24, cell(), label="E", structure=Line(dx=5.))
    I = sim.Population(6, cell(), label="I")
    L = sim.Population(3, cell(), label="L")
    w = lambda m, s: sim.RandomDistribution("normal_clipped", mu=m, sigma=s, low=0.0, high=20., rng=rng)
    neg = lambda m, s: sim.RandomDistribution("normal_clipped", mu=-m, sigma=s, low=-20., high=0., rng=rng)
    P = {}
    def connect(name, pre, post, c, weight, delay, r="excitatory"):
        P[name] = sim.Projection(pre, post, c, sim.StaticSynapse(weight=weight, delay=delay), receptor_type=r, label=name)
    connect("A>E", A, E, sim.FixedProbabilityConnector(0.6, rng=rng), w(4., 2.), 1.0)
    connect("B>E", B, E, sim.DistanceDependentProbabilityConnector("exp(-d/60.)", rng=rng), w(5., 2.), "0.5 + d*0.05")
    connect("A>I", A, I, sim.FixedProbabilityConnector(0.6, rng=rng), w(4., 2.), 0.5)
    connect("B>I", B, I, sim.FromListConnector([(i, (i*5+k) % 6, 4.0 + k, 0.5 + 0.3*k) for i in range(6) for k in range(3)]), 0.0, 0.5)
    connect("I>E", I, E, sim.FixedProbabilityConnector(0.5, rng=rng), neg(1.5, .5), 0.5, "inhibitory")
    connect("E>L", E, L, sim.FixedProbabilityConnector(0.8, rng=rng), w(2.0, .7), sim.RandomDistribution("uniform", (0.5, 3.0), rng=rng))
    connect("I>L", I, L, sim.FixedProbabilityConnector(0.8, rng=rng), neg(1.0, .5), 1.0, "inhibitory")
    connect("A>L", A, L, sim.FixedProbabilityConnector(0.5, rng=rng), w(1.0, .5), 2.0)
    for p in (A, B, E, I, L):
        p.record("spikes")
    return dict(A=A, B=B, E=E, I=I, L=L), P
