# ---- What differs between simulators -------------------------------------------------------------------------------------------


def start(name, dt):
    """The PyNN module of a simulator (nest, brian2, neuron, or the name of another module), set up with steps of dt (ms)."""
    if name == "nest":
        os.environ.setdefault("PYNEST_QUIET", "1")  # else NEST prints 20 lines
    if name == "neuron":
        # pyNN.neuron compiles its mechanisms at the first import, with a program that it looks for on PATH alone.
        os.environ["PATH"] = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    try:
        sim = importlib.import_module(name if "." in name else f"pyNN.{name}")
    except ImportError as error:
        raise SystemExit(f"no simulator {name!r}: {error}; use nest, brian2 or neuron, if installed, or name a PyNN "
                         "module") from None
    if name == "brian2":
        import brian2
        brian2.prefs.codegen.target = "numpy"  # else Brian2 compiles for a minute
        brian2.BrianLogger.suppress_name("method_choice")  # that it integrates exactly
    sim.setup(timestep=dt, min_delay=dt)  # without min_delay, every source of NEST spikes late by (smallest delay - dt)
    if name == "brian2":
        brian2.defaultclock.dt = dt * brian2.ms  # the clock of pyNN.brian2's sources, which setup leaves at 0.1 ms
    return sim


def synaptic_times(sim, tau_syn, tau_m):
    """tau_syn (ms) as the simulator can have it."""
    if sim.__name__ == "pyNN.brian2":
        # pyNN.brian2 divides by tau_m - tau_syn. A relative 1e-6 between them moves the membrane by 1e-6 of its height.
        return np.where(np.abs(np.subtract(tau_syn, tau_m)) < 1e-6 * np.asarray(tau_m), np.multiply(tau_syn, 1 + 1e-6),
                        tau_syn)[()]
    return tau_syn


def give_spikes(sim, population, trains):
    """Give spike sources their times (ms), an array for each source."""
    dt = sim.get_time_step()
    if sim.__name__ == "pyNN.nest":
        # pyNN.nest hands over times less one step, leaves out those that are then negative, and NEST refuses 0.
        trains = [np.maximum(train, (1 + 1e-6) * dt) for train in trains]
    if sim.__name__ == "pyNN.brian2":
        # Brian2 cuts times off to the step before, so they are rounded first; it refuses two spikes of a source in one step.
        trains = [np.unique(np.round(train / dt)) * dt for train in trains]
        # pyNN.brian2 cannot set the times of a population of one source, so Brian2 is told.
        from brian2 import ms
        cells = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
        population.brian2_group.set_spikes(cells, np.concatenate(trains) * ms)
        return
    population.set(spike_times=[Sequence(train) for train in trains])


# ---- Spikes to classes ---------------------------------------------------------------------------------------------------------


def first_spikes(outputs, n_samples, window, copies=1):
    """When each output neuron spikes first, (samples, classes) in ms from the start of a sample, inf where it does not.

    Sample s was shown to copy s % copies of the network, in the window that begins at (s // copies) * window.
    """
    n_windows, n_classes = -(-n_samples // copies), outputs.size // copies
    first = np.full((n_windows * copies, n_classes), np.inf)
    for train in outputs.get_data("spikes").segments[-1].spiketrains:
        copy, neuron = divmod(int(train.annotations["source_index"]), n_classes)
        for time in train.rescale("ms").magnitude:
            k = int(time / window + 1e-9) if window else 0
            if k < n_windows and time - k * window < DEADLINE:
                s = k * copies + copy
                first[s, neuron] = min(first[s, neuron], max(time - k * window, 0.0))
    return first[:n_samples]


def report(simulator, dt, first, labels, output):
    """Print the class of each sample, and write all to a JSON file; -1 where no output neuron spikes."""
    classes = np.where(np.isfinite(first).any(axis=1), first.argmin(axis=1), -1)
    for s, (found, times) in enumerate(zip(classes, first, strict=True)):
        right = "" if labels is None else f", label {labels[s]}"
        when = f"first output spike at {times.min():.3f} ms" if found >= 0 else "no output spike"
        print(f"sample {s}: class {found}{right}, {when}")
    result = {"simulator": simulator, "dt_ms": dt, "classes": classes.tolist(),
              "first_spikes_ms": [[time if np.isfinite(time) else None for time in times] for times in first.tolist()]}
    if labels is not None:
        result |= {"labels": np.asarray(labels).tolist(), "accuracy": float((classes == labels).mean())}
        print(f"accuracy {result['accuracy']:.4f} of {len(classes)} samples")
    Path(output).write_text(json.dumps(result) + "\n", encoding="utf-8")
    print(f"classes and spike times: {output}")
