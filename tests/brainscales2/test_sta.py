import pytest

from ttfs_pynn.brainscales2.dlens import hal, halco, hxcomm, lola, sta


@pytest.fixture
def chip():
    chip = lola.Chip()
    chip.neuron_block.atomic_neurons[halco.AtomicNeuronOnDLS(3)].leak.v_leak = 1023
    chip.neuron_block.atomic_neurons[halco.AtomicNeuronOnDLS(4)].readout.source = lola.AtomicNeuron.Readout.Source.adaptation
    chip.neuron_block.backends[halco.CommonNeuronBackendConfigOnDLS(1)].clock_scale_slow = 4
    chip.neuron_block.v_bias_casc_n[halco.CapMemBlockOnDLS(2)] = 7
    return chip


def dumped(*writes):
    builder = sta.PlaybackProgramBuilderDumper()
    for coordinate, container in writes:
        builder.write(coordinate, container)
    return builder.done()


def test_a_chip_is_kept_as_bytes(chip):
    read = sta.DumperDone()
    sta.from_portablebinary(read, sta.to_portablebinary(dumped((halco.ChipOnDLS(), chip))))
    assert sta.convert_to_chip(read) == chip != lola.Chip()


@pytest.mark.parametrize("data", [b"", b"\x00\x01binary of the vendor", b"ttfs_pynn BrainScaleS-2 configuration 1\n{"])
def test_bytes_of_other_origin(data):
    with pytest.raises(ValueError, match="to_portablebinary"):
        sta.from_portablebinary(sta.DumperDone(), data)


def test_writes_are_applied_on_top_of_a_chip(chip):
    neuron = lola.AtomicNeuron()
    neuron.threshold.enable = True
    changed = sta.convert_to_chip(dumped((halco.AtomicNeuronOnDLS(9), neuron)), chip)
    assert changed.neuron_block.atomic_neurons[halco.AtomicNeuronOnDLS(9)] == neuron
    assert changed.neuron_block.backends == chip.neuron_block.backends and changed != chip
    with pytest.raises(ValueError, match="TimerOnDLS"):
        sta.convert_to_chip(dumped((halco.TimerOnDLS(), hal.Timer())))


def test_builders_keep_what_is_put_in():
    builder, other = sta.PlaybackProgramBuilder(), sta.PlaybackProgramBuilder()
    config = hal.CrossbarOutputConfig()
    other.write(halco.CrossbarOutputConfigOnDLS(), config)
    config.enable_event_counter.fill(True)
    other.block_until(halco.BarrierOnFPGA(), hal.Barrier.omnibus)
    builder.merge_back(other)
    assert other.empty() and [instruction[0] for instruction in builder.instructions] == ["write", "block_until"]
    assert builder.instructions[0][2] == hal.CrossbarOutputConfig(), "what was written does not change afterwards"
    with pytest.raises(NotImplementedError, match="not executed"):
        builder.read(halco.CrossbarOutputOnDLS(1)).get()
    with pytest.raises(TypeError, match="coordinate"):
        builder.write(3, config)


def test_builders_at_absolute_times():
    builder = sta.AbsoluteTimePlaybackProgramBuilder()
    builder.write(hal.Timer.Value(1250), halco.SynapseRowOnDLS(300).toSynapseWeightRowOnDLS(), lola.SynapseWeightRow())
    assert builder.instructions[0][0] == 1250 and builder.instructions[0][2] == halco.SynapseWeightRowOnDLS(300)


def test_the_connection_says_what_it_is(monkeypatch):
    with hxcomm.ManagedConnection() as connection:
        assert isinstance(connection, hxcomm.ConnectionHandle)
        monkeypatch.delenv("HXCOMM_ENABLE_ZERO_MOCK", raising=False)
        assert connection.get_unique_identifier() == ["emulated"]
        monkeypatch.setenv("HXCOMM_ENABLE_ZERO_MOCK", "1")
        assert connection.get_unique_identifier() == ["zeromock"]
