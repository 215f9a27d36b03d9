"""Files made to do harm, for every reader: `python -m benchmarks.hostile_files [--only KIND] [--megabytes 1024] [--seconds 10]`.

Bombs, links, headers that lie, settings of the wrong type: each is given to a command in a process of its own, which may take
so much memory and time of a processor. Right is status 2 with one line. Printed are the rows of a table, and what was not so.
"""

import argparse
import bz2
import contextlib
import gzip
import io
import json
import os
import resource
import shutil
import signal
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import h5py
import neo
import nir
import numpy as np

from ttfs_pynn.analysis import (
    comparison_report,
    decision_map,
    decision_time,
    early_spikes_figure,
    error_against_dt,
    latency_histogram,
    learning_curve,
    membrane,
    raster,
    results_page,
    robustness_figure,
    spike_statistics,
    tuning,
    weight_histogram,
)
from ttfs_pynn.commands.command_line import run
from ttfs_pynn.datasets import mnist
from ttfs_pynn.files.sealed import sealed, write_arrays
from ttfs_pynn.graph.initialisation import initial_parameters
from ttfs_pynn.interchange import from_nir, read_nir, to_nir, write_nir
from ttfs_pynn.models import yin_yang
from ttfs_pynn.protocols import compare, evaluate, export, train, transfer

MB = 2**20


class Case(NamedTuple):
    """make(folder) writes the file into a folder of its own and returns the arguments of the command `main`."""

    name: str
    make: Callable
    main: Callable


# -- running


class Outcome(NamedTuple):
    status: int  # negative: the signal that ended it
    lines: list
    seconds: float  # of a processor
    megabytes: float  # beyond what the process that forked it held, which may have run thousands of tests

    @property
    def right(self):
        return self.status == 2 and len(self.lines) == 1 and self.lines[0].startswith("error: ")


def outcome(case, folder, megabytes=1024, seconds=10):
    """What a process of its own made of a case."""
    arguments = case.make(folder)
    errors = folder / "standard_error"
    resident, data = _held()
    pid = os.fork()
    if not pid:
        _in_child(case.main, arguments, errors, data + megabytes, seconds)
    _, status, usage = os.wait4(pid, 0)
    text = errors.read_text(errors="replace").splitlines() if errors.exists() else []
    lines = [line for line in text if not _is_warning(line)]
    return Outcome(os.waitstatus_to_exitcode(status), lines, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024 - resident)


def _held():
    """(resident, data) megabytes of this process; (0, 0) where the system does not say."""
    status = Path("/proc/self/status")
    if not status.exists():
        return 0, 0
    found = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
    return tuple(int(found[name].split()[0]) // 1024 for name in ("VmRSS", "VmData"))


def _is_warning(line):
    return "Warning: " in line or line.startswith("  ")


def _in_child(main, arguments, errors, megabytes, seconds):
    with contextlib.suppress(BaseException):
        descriptor = os.open(errors, os.O_WRONLY | os.O_CREAT)
        os.dup2(descriptor, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stderr = os.fdopen(2, "w", buffering=1, closefd=False)
        sys.stdout = os.fdopen(1, "w", closefd=False)
        # Data: what the process itself has taken, without the files that are its program.
        resource.setrlimit(resource.RLIMIT_DATA, (megabytes * MB, megabytes * MB))
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        signal.alarm(20 * seconds)  # what waits for ever takes no time of a processor
    status = 99
    try:
        run(main, arguments)
    except SystemExit as stop:
        status = stop.code if isinstance(stop.code, int) else 1
    except BaseException:
        import traceback
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status or 0)


# -- what is whole


def base_run(folder):
    """A finished run of Yin-Yang, 4(+3)-20-3, on the exact simulator."""
    settings = json.loads(json.dumps(yin_yang.PARAMETERS))
    parameters, before = yin_yang.PARAMETERS, yin_yang.data
    settings["network"]["hidden"], settings["training"]["epochs"] = 20, 2
    try:
        yin_yang.PARAMETERS = settings
        yin_yang.data = lambda p: {name: part.select(slice(0, 60)) for name, part in before(p).items()}
        with contextlib.redirect_stdout(io.StringIO()):
            train.main(["yin_yang", "--seed", "3", "--quiet", "--output", str(folder)])
    finally:
        yin_yang.PARAMETERS, yin_yang.data = parameters, before
    return folder


def _copy(base, folder):
    return Path(shutil.copytree(base, folder / "run"))


# -- TOML


def toml_cases(base):
    text = (base / "configuration.toml").read_text()

    def changed(key, value):
        lines = [line for line in text.splitlines() if not line.startswith(f"{key} = ")]
        table = "[training]" if key in ("epochs", "batch_size", "learning_rate", "seed", "silent_tolerated", "loss", "max_dw",
                                        "loss_options", "schedule") else \
            "[network]" if key in ("tau_m", "tau_syn", "hidden", "bias_times", "t_early", "t_late", "v_thresh",
                                   "hidden_layer", "cm") else None
        if table is None:
            return "\n".join([f"{key} = {value}", *lines])
        at = lines.index(table)
        # A table of that name further down would be the key a second time.
        lines = [line for line in lines if line not in (f"[network.{key}]", f"[training.{key}]")]
        return "\n".join([*lines[:at + 1], f"{key} = {value}", *lines[at + 1:]])

    def without(table):
        parts, keep = [], True
        for line in text.splitlines():
            if line.startswith("["):
                keep = not (line == f"[{table}]" or line.startswith(f"[{table}."))
            parts += [line] if keep else []
        return "\n".join(parts)

    texts = {f"{key} = {value if len(value) < 30 else value[:27] + '...'}": changed(key, value) for key, value in (
        ("model", "5"), ("model", '["yin_yang"]'), ("model", '"../../etc/passwd"'), ("model", '"no_such_model"'), ("copies",
        '"x"'),
        ("copies", "1000000000"), ("copies", "-1"), ("copies", "1.5"), ("copies", "true"), ("backend", "7"), ("backend",
        '"nest2"'),
        ("dt", '"small"'), ("dt", "-1"), ("dt", "nan"), ("classes", "5"), ("tau_m", "[1, 1, 1]"),
        ("tau_m", '"long"'), ("tau_m", "-3"), ("tau_m", "{}"), ("tau_syn", "inf"), ("tau_syn", "0"), ("hidden", "1000000000"),
        ("hidden", "2.5"), ("hidden", "[]"), ("hidden", "-4"), ("bias_times", "5"), ("bias_times", '["a"]'), ("bias_times",
        "[[1]]"),
        ("t_early", "nan"), ("t_late", "1e308"), ("t_late", '"x"'), ("hidden_layer", "[1]"),
        ("hidden_layer", "{weight_mean = 'a'}"),
        ("hidden_layer", "5"), ("hidden_layer", "{size = 3}"), ("hidden_layer", '{delays = ["magic"]}'),
        ("hidden_layer", '{delays = ["axonal"], delay_max = "x"}'), ("cm", "true"), ("epochs", '"many"'), ("epochs", "[]"),
        ("batch_size", "0"), ("learning_rate", "{}"), ("silent_tolerated", "[1, 2, 3]"), ("silent_tolerated", "7"),
        ("loss", "3"), ("loss_options", '{difference = "x"}'), ("loss_options", "{what = 1}"), ("schedule", '"magic"'),
        ("max_dw", '"x"'), ("seed", "-1"), ("seed", "1e400"), ("v_thresh", "-100"))}
    texts |= {"training = []": "training = []\n" + without("training"), "network = 5": "network = 5\n" + without("network"),
              "hardware = 5": "hardware = 5\n" + text, "hardware = {chip = 'x'}": text + "\n[hardware]\nchip = 'x'\n",
              "hardware = {nothing = 1}": text + "\n[hardware]\nnothing = 1\n",
              "no network": without("network"), "no training": without("training"), "empty": "", "garbage": "\0\1\2",
              "not UTF-8": "\udcff\udcfe", "nested lists": "a = " + "[" * 100_000, "nested tables": "a = " + "{b = " * 50_000,
              "a key of 100,000 parts": ".".join("a" * 100_000) + " = 1",
              "a header of 30,000 parts": f"[{'.'.join('a' * 30_000)}]",
              "quoted key of 3,000 parts": ".".join(['"a b"'] * 3_000) + " = 1", "2 MB": text + "\n#" + "x" * (2 * MB),
              "a number of 100,000 digits": "x = " + "9" * 100_000, "duplicate keys": "model = 'a'\nmodel = 'b'"}

    def case(name, content):
        def make(folder):
            run_folder = _copy(base, folder)
            (run_folder / "configuration.toml").write_bytes(content.encode("utf-8", "surrogateescape"))
            return [str(run_folder), "--backend", "exact", "--samples", "5"]
        return Case(name, make, evaluate.main)

    def sparse(folder):
        run_folder = _copy(base, folder)
        os.truncate(run_folder / "configuration.toml", 2**36)
        return [str(run_folder)]

    def of_others(name, main, *arguments):
        def make(folder):
            run_folder = _copy(base, folder)
            (run_folder / "configuration.toml").write_text(changed("tau_syn", '"x"'))
            return [str(run_folder), *(text.format(folder) for text in arguments)]
        return Case(f"tau_syn is a text, {name}", make, main)

    return [*(case(name, content) for name, content in texts.items()), Case("sparse, 64 GiB", sparse, evaluate.main),
            of_others("export", export.main, "--output", "{}/x.nir"), of_others("raster", raster.main),
            of_others("latency_histogram", latency_histogram.main), of_others("decision_time", decision_time.main),
            of_others("transfer", transfer.main, "--output", "{}/x.json"),
            of_others("compare", compare.main, "--output", "{}/out")]


# -- JSON


def json_cases(base):
    texts = {"empty": "", "a number": "7", "null": "null", "a text": '"x"', "an empty list": "[]", "an empty table": "{}",
             "lists in lists": "[" * 100_000, "lists in lists, closed": "[" * 900 + "]" * 900,
             "tables in tables": '{"a":' * 50_000, "3 million empty lists": "[" + "[]," * 3_000_000 + "[]]",
             "20 MB": " " * (20 * MB),
             "not UTF-8": "\udcff", "half": '{"a": [1, 2', "a number of 10,000 digits": f'[{{"epoch": {"9" * 10_000}}}]',
             "wrong types": '[{"epoch": "x", "train_loss": [], "seconds": {}}]', "lists for records": "[[1, 2], [3]]",
             "infinite": '[{"epoch": 1, "train_loss": 1e999}]', "records of nothing": "[{}, {}]"}
    targets = {"history": (learning_curve.main, "history.json"), "comparison": (error_against_dt.main, "comparison.json"),
               "comparison page": (comparison_report.main, "comparison.json"),
               "robustness": (robustness_figure.main, "robustness.json"), "results": (results_page.main, "yin_yang.json"),
               "early spikes": (early_spikes_figure.main, "early.json")}

    def case(what, name):
        main, file = targets[what]

        def make(folder):
            place = _copy(base, folder) if what == "history" else folder / "place"
            place.mkdir(exist_ok=True)
            (place / file).write_bytes(texts[name].encode("utf-8", "surrogateescape"))
            return [str(place / file if what == "early spikes" else place)]
        return Case(f"{what}: {name}", make, main)

    def special(kind):
        def make(folder):
            place = _copy(base, folder)
            (place / "history.json").unlink()
            {"pipe": lambda f: os.mkfifo(f), "device": lambda f: f.symlink_to("/dev/zero"), "folder": lambda f: f.mkdir(),
             "sparse": lambda f: (f.touch(), os.truncate(f, 2**36))}[kind](place / "history.json")
            return [str(place)]
        return Case(f"history: {kind}", make, learning_curve.main)

    # What a history of nothing, or of numbers alone, is drawn as is no harm.
    harmless = {("history", "infinite"), ("history", "records of nothing"), ("results", "an empty list")}
    return [*(case(what, name) for what in targets for name in texts if (what, name) not in harmless),
            *(special(kind) for kind in ("pipe", "device", "folder", "sparse"))]


# -- npz


def npy(header, data=b"", version=(1, 0)):
    """The bytes of a .npy file with any header."""
    text = header if isinstance(header, bytes) else header.encode("latin1")
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text + data


def header(shape, dtype="<f8", order=False):
    return f"{{'descr': {dtype!r}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def archive(members, compression=zipfile.ZIP_STORED, meta=b"null"):
    """A sealed .npz of raw members, with the meta data that read_arrays looks for."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in members:
            file.writestr(name, content)
        if meta is not None:
            file.writestr("__meta__.npy", npy(header(f"({len(meta)},)", "|u1"), meta))
        file.comment = b"sha256:" + b"0" * 64
    return sealed(buffer.getvalue()[:-71])


FIRST, BIAS, LAST = (f"{edge}.weight" for edge in ("input>layer0", "bias0>layer0", "layer0>layer1"))  # of the base run
W0, W1 = f"{FIRST}.npy", f"{LAST}.npy"


def npz_contents(base):
    whole = (base / "parameters.npz").read_bytes()
    good = npy(header("(4, 20)"), bytes(4 * 20 * 8))
    zeros = npy(header("(1000000000,)"), b"")
    parameters = {FIRST: np.zeros((4, 20)), BIAS: np.zeros((3, 20)), LAST: np.zeros((20, 3))}

    def arrays(name, values):
        file = Path(tempfile.mkstemp(suffix=".npz")[1])
        try:
            write_arrays(file, {**parameters, name: values})
            return file.read_bytes()
        finally:
            file.unlink()

    def one(content):
        return archive([(W0, content), (W1, good)])

    overlapping = bytearray(archive([(W0, good), (W1, good)])[:-64])
    first = overlapping.find(b"PK\1\2")
    second = overlapping.find(b"PK\1\2", first + 1)
    overlapping[second + 42:second + 46] = overlapping[first + 42:first + 46]  # the offset of the member
    directory = bytearray(whole[:-64])
    directory[directory.rfind(b"PK\5\6") + 16] ^= 0x55

    def resealed(content):
        return sealed(bytes(content).removesuffix(b"sha256:"))

    return {
        "compressed: 8 MB for 8 GiB": _bomb(8 * 1024), "compressed with bzip2": archive([(W0, good)], zipfile.ZIP_BZIP2),
        "compressed with LZMA": archive([(W0, good)], zipfile.ZIP_LZMA), "members that overlap": resealed(overlapping),
        "offset of the directory": resealed(directory), "an array of 8 GB in 100 bytes": one(zeros),
        "an array of 2^62 numbers": one(npy(header("(4611686018427387904,)"))),
        "a shape of 2^32 x 2^32 x 0": one(npy(header("(4294967296, 4294967296, 0)"))),
        "a negative shape": one(npy(header("(-1,)"))), "a shape of 100 dimensions": one(npy(header(str((1,) * 100)), bytes(8))),
        "objects": one(npy(header("(1,)", "|O"), b"cos\nsystem\n(S'true'\ntR.")), "a row of fields": one(npy(header("(1,)")
            .replace("'<f8'", "[('a', '<f8'), ('b', '<i4')]"), bytes(12))),
            "text of no length": one(npy(header("(1000000000000,)", "<U0"))),
        "text of 2 GB": one(npy(header("(1,)", "|S2147483647"))), "a header that is no table": one(npy("[1, 2]\n")),
        "a header of 64 kB of brackets": one(npy("(" * 65_000)), "a header that calls": one(npy("__import__('os').getcwd()")),
        "a header of 4 GB": one(b"\x93NUMPY\2\0" + struct.pack("<I", 2**32 - 1) + b"{}"),
        "version 9.9": one(npy(header("(1,)"), bytes(8), (9, 9))), "no array": one(b"nothing"), "an empty member": one(b""),
        "a name with ..": archive([("../../w0.npy", good)]), "two of one name": archive([(W0, good), (W0, good)]),
        "no meta data": archive([(W0, good)], meta=None), "meta data that are no JSON": archive([(W0, good)],
        meta=b"{"),
        "meta data of 100,000 brackets": archive([(W0, good)], meta=b"[" * 100_000), "an empty archive": archive([]),
        "a seal alone": sealed(b""), "a seal of text": sealed(b"text"), "no seal": whole[:-71], "half": whole[:len(whole) // 2],
        "empty": b"", "a bit of a weight": whole[:300] + bytes([whole[300] ^ 1]) + whole[301:],
        "weights that are not finite": arrays(LAST, np.full((20, 3), np.nan)),
        "weights of another shape": arrays(FIRST, np.zeros((5, 20))),
        "complex weights": arrays(FIRST, np.zeros((4, 20), complex)), "texts for weights": arrays(FIRST, np.full((4, 20), "x")),
        "weights of no dimension": arrays(FIRST, np.array(1.0)), "weights of 16 MB": arrays(FIRST, np.zeros((7, 300_000))),
    }


def _bomb(megabytes):
    """A sealed .npz whose one array is so many megabytes of zeros, compressed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        with file.open(W0, "w", force_zip64=True) as member:
            member.write(npy(header(f"({megabytes * MB // 8},)")))
            for _ in range(megabytes):
                member.write(bytes(MB))
        file.writestr("__meta__.npy", npy(header("(4,)", "|u1"), b"null"))
        file.comment = b"sha256:" + b"0" * 64
    return sealed(buffer.getvalue()[:-71])


def npz_cases(base):
    contents = npz_contents(base)

    def case(name, target="parameters.npz", main=evaluate.main, more=("--backend", "exact", "--samples", "5")):
        def make(folder):
            run_folder = _copy(base, folder)
            (run_folder / target).write_bytes(contents[name])
            (run_folder / "checkpoint.previous.npz").unlink(missing_ok=True)
            return [str(run_folder), *more]
        return Case(f"{target}: {name}", make, main)

    def resumed(name):
        def make(folder):
            run_folder = _copy(base, folder)
            for file in ("checkpoint.npz", "checkpoint.previous.npz"):
                (run_folder / file).write_bytes(contents[name])
            return [str(run_folder)]
        return Case(f"checkpoint: {name}", make, _resume)

    def record(name):
        def make(folder):
            (folder / "record.npz").write_bytes(contents[name])
            return [str(folder / "record.npz")]
        return Case(f"record: {name}", make, tuning.main)

    def sparse(folder):
        run_folder = _copy(base, folder)
        os.truncate(run_folder / "parameters.npz", 2**36)
        return [str(run_folder)]

    some = ("compressed: 8 MB for 8 GiB", "an array of 8 GB in 100 bytes", "objects", "no meta data", "weights of another shape")
    return [*(case(name) for name in contents), Case("parameters.npz: sparse, 64 GiB", sparse, evaluate.main),
            *(case(name, "parameters.npz", weight_histogram.main, ()) for name in (some[0], some[1], "texts for weights")),
            *(case(name, "decisions.npz", latency_histogram.main, ()) for name in some),
            *(case(name, "decisions.npz", decision_time.main, ()) for name in some),
            *(case(name, "decision_map.npz", decision_map.main, ()) for name in some),
            *(resumed(name) for name in contents if name not in ("a bit of a weight",)), *(record(name) for name in some)]


def _resume(arguments):
    """`train --resume` of the base run."""
    settings = json.loads(json.dumps(yin_yang.PARAMETERS))
    settings["network"]["hidden"], settings["training"]["epochs"] = 20, 2
    yin_yang.PARAMETERS, before = settings, yin_yang.data
    yin_yang.data = lambda p: {name: part.select(slice(0, 60)) for name, part in before(p).items()}
    return train.main(["yin_yang", "--seed", "3", "--quiet", "--resume", "--output", *arguments])


# -- IDX


def idx_cases():
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), dtype=np.uint8)
    labels = (np.arange(20) % 10).astype(np.uint8)

    def idx(array, magic=b"\0\0\x08", shape=None):
        shape = array.shape if shape is None else shape
        return magic + bytes([len(shape)]) + b"".join(struct.pack(">I", n) for n in shape) + array.tobytes()

    whole = idx(images)
    packed = gzip.compress(whole)
    head = gzip.compress(idx(np.empty(0, np.uint8), shape=(2**32 - 1, 28, 28)))
    piece = gzip.compress(bytes(64 * MB), 9)
    contents = {
        "gzip, 6 MB for 6 GiB, announced": head + piece * 96, "gzip, 6 MB for 6 GiB, 20 images announced": packed + piece * 96,
        "gzip, 6 GiB without a header": piece * 96, "gzip in gzip": gzip.compress(packed), "gzip cut off": packed[:-20],
        "gzip, wrong check": packed[:-8] + bytes(4) + packed[-4:], "gzip, wrong length": packed[:-4] + bytes(4),
        "gzip, header alone": packed[:10], "gzip, two bytes": packed[:2], "gzip, unknown method": packed[:2] + b"\7" + packed[3:],
        "gzip with rubbish behind": packed + b"rubbish" * 10, "gzip, damaged": packed[:200] + b"\xff\0\xff" + packed[203:],
        "bzip2": bz2.compress(whole), "(2^32-1, 0, 2^32-1)": idx(images[:0], shape=(2**32 - 1, 0, 2**32 - 1)),
        "(2^32-1, 2^32-1, 2^32-1)": idx(images, shape=(2**32 - 1,) * 3), "(0, 2^31, 2^31)": idx(images[:0], shape=(0, 2**31,
        2**31)),
        "(2^16, 2^16, 1)": idx(images, shape=(2**16, 2**16, 1)), "one image more announced": idx(images, shape=(21, 28, 28)),
        "one image less announced": idx(images, shape=(19, 28, 28)), "29 x 28": idx(images[:, :, :1].repeat(29, 2).swapaxes(1,
        2)),
        "one dimension": idx(images, shape=(images.size,)), "no dimension": b"\0\0\x08\0",
        "255 dimensions": b"\0\0\x08\xff" + bytes(2000),
        "32-bit numbers": idx(images, b"\0\0\x0c"), "little endian": b"\x03\x08\0\0" + whole[4:], "a header alone": whole[:16],
        "half a header": whole[:9], "a byte too few": whole[:-1], "a byte too many": whole + b"\0", "empty": b"",
        "text": b"<html>",
        "zeros": bytes(5000), "no images": idx(images[:0]), "a pickle": b"\x80\x04K\x01.", "more labels than images": None,
    }

    def case(name):
        def make(folder):
            (folder / "train-images-idx3-ubyte").write_bytes(whole if contents[name] is None else contents[name])
            other = np.append(labels, 1).astype(np.uint8) if contents[name] is None else labels
            (folder / "train-labels-idx1-ubyte").write_bytes(idx(other))
            return [str(folder)]
        return Case(name, make, _images)

    def special(kind):
        def make(folder):
            file = folder / "train-images-idx3-ubyte"
            (folder / "train-labels-idx1-ubyte").write_bytes(idx(labels))
            {"a pipe": lambda: os.mkfifo(file), "a device": lambda: file.symlink_to("/dev/zero"), "a folder": file.mkdir,
             "sparse, 64 GiB": lambda: (file.touch(), os.truncate(file, 2**36))}[kind]()
            return [str(folder)]
        return Case(kind, make, _images)

    def of_labels(name, content):
        def make(folder):
            (folder / "train-images-idx3-ubyte").write_bytes(whole)
            (folder / "train-labels-idx1-ubyte").write_bytes(content)
            return [str(folder)]
        return Case(f"labels: {name}", make, _images)

    return [*(case(name) for name in contents), *(special(k) for k in ("a pipe", "a device", "a folder", "sparse, 64 GiB")),
            of_labels("255", idx(labels + 246)), of_labels("2^32-1 announced", idx(labels, shape=(2**32 - 1,))),
            of_labels("images", whole)]


def _images(arguments):
    mnist.read("train", *arguments)


# -- NIX and NIR


def _block(times=((1.0, 2.5), (7.25,))):
    segment = neo.Segment(name="presentation")
    for n, train_ in enumerate(times):
        segment.spiketrains.append(neo.SpikeTrain(train_, units="ms", t_stop=20.0, channel_id=n))
    block = neo.Block(name="hidden", first_id=0, size=len(times))
    block.segments.append(segment)
    return block


def _links_file(folder):
    other = folder / "other.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.arange(3.0)
    return other


def _array(file):
    """The first array of numbers in a NIX file, and the group that holds it."""
    found = []
    file.visititems(lambda name, item: found.append(item) if isinstance(item, h5py.Dataset) and item.dtype.kind == "f"
                    and item.name.endswith("/data") else None)
    return found[0].parent, found[0].name.rpartition("/")[2]


def _hdf5_changes(folder, holder):
    """{name: change(file)} of an open HDF5 file; holder(file): (group, name) of an array in it."""
    other = _links_file(folder)

    def replaced(make):
        def change(file):
            group, name = holder(file)
            attributes = dict(group[name].attrs)
            del group[name]
            make(group, name)
            if name in group:
                with contextlib.suppress(Exception):
                    for key, value in attributes.items():
                        group[name].attrs[key] = value
        return change

    def virtual(group, name):
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(str(other), "secret", (3,))
        group.create_virtual_dataset(name, layout)

    def doubling(file):
        group = file["/"].create_group("doubling0")
        for k in range(40):
            below = file["/"].create_group(f"doubling{k + 1}")
            below["left"] = below["right"] = group
            group = below
        target, _ = holder(file)
        target["doubled"] = group

    def cycle(file):
        group, _ = holder(file)
        group["again"] = file["/"]

    def deep(file):
        group, _ = holder(file)
        for _ in range(300):
            group = group.create_group("x")

    def many(file):
        group, name = holder(file)
        for k in range(3000):
            group[f"link{k}"] = group[name]

    def soft_loop(file):
        group, name = holder(file)
        del group[name]
        group[name] = h5py.SoftLink(f"{group.name}/{name}")

    big = 2**31
    return {
        "an array of 16 GiB without content": replaced(lambda g, n: g.create_dataset(n, (big,), "f8")),
        "an array of 16 GiB in pieces": replaced(lambda g, n: g.create_dataset(n, (big,), "f8", chunks=(2**16,))),
        "an array of 2^50 bytes, compressed": replaced(lambda g, n: g.create_dataset(n, (2**47,), "f8", chunks=(2**16,),
                                                                                     compression="gzip")),
        "600 MB of zeros, compressed": replaced(lambda g, n: g.create_dataset(n, data=np.zeros(75 * MB), chunks=(MB,),
                                                                              compression="gzip", compression_opts=1)),
        "a link to another file": replaced(lambda g, n: g.__setitem__(n, h5py.ExternalLink(str(other), "/secret"))),
        "a soft link": replaced(lambda g, n: g.__setitem__(n, h5py.SoftLink("/somewhere"))), "a soft link to itself": soft_loop,
        "an array in another file": replaced(lambda g, n: g.create_dataset(n, (4,), "f8", external=[("/etc/passwd", 0, 32)])),
        "a virtual array": replaced(virtual), "groups that contain themselves": cycle, "2^40 ways to a group": doubling,
        "300 groups in each other": deep, "3,000 links to an array": many,
        "references": replaced(lambda g, n: g.create_dataset(n, data=np.array([g.file.ref]), dtype=h5py.ref_dtype)),
        "lists of any length": replaced(lambda g, n: g.create_dataset(n, (3,), h5py.vlen_dtype("f8"))),
        "a text for numbers": replaced(lambda g, n: g.create_dataset(n, data="numbers")),
        "texts for numbers": replaced(lambda g, n: g.create_dataset(n, data=["a", "b"], dtype=h5py.string_dtype())),
        "a group for numbers": replaced(lambda g, n: g.create_group(n)), "nothing": replaced(lambda g, n: None),
        "eight dimensions": replaced(lambda g, n: g.create_dataset(n, (1,) * 8, "f8")),
        "a row of fields": replaced(lambda g, n: g.create_dataset(n, (3,), np.dtype([("a", "f8"), ("b", "i4")]))),
        "opaque bytes": replaced(lambda g, n: g.create_dataset(n, (3,), np.dtype("V7"))),
    }


def _hdf5_bytes(whole):
    """{name: bytes} of files that are no HDF5, or half of one."""
    rng = np.random.default_rng(0)

    def flipped(k):
        damaged = bytearray(whole)
        for place in np.random.default_rng(k).integers(8, 90, 6):
            damaged[place] ^= 1 << int(rng.integers(8))
        return bytes(damaged)

    return {"empty": b"", "text": b"no HDF5", "eight bytes": whole[:8], "a tenth": whole[:len(whole) // 10],
            "half": whole[:len(whole) // 2], "all but a hundred bytes": whole[:-200] if len(whole) > 400 else whole[:50],
            "zeros behind the first 100 bytes": whole[:100] + bytes(len(whole) - 100), "a pickle": b"\x80\x04K\x01.",
            **{f"flipped bits of the head {k}": flipped(k) for k in range(3)}}


def _changed_file(whole, change, path):
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        change(file)
    return path


def nix_cases(base, scratch):
    plain = scratch / "plain.nix"
    with neo.io.NixIO(str(plain), "ow") as file:
        file.write_block(_block())
    whole = plain.read_bytes()
    sealed_whole = (base / "spikes" / "after_layer0.nix").read_bytes()
    changes = _hdf5_changes(scratch, _array)

    def case(name, with_seal=False, main=spike_statistics.main):
        def make(folder):
            path = _changed_file(whole, changes[name], folder / "spikes.nix")
            if with_seal:
                path.write_bytes(sealed(path.read_bytes()))
            return [str(path)]
        return Case(f"{name}{', sealed' if with_seal else ''}", make, main)

    def of_bytes(name, content):
        def make(folder):
            (folder / "spikes.nix").write_bytes(content)
            return [str(folder / "spikes.nix")]
        return Case(name, make, raster.main)

    def in_run(name):
        def make(folder):
            run_folder = _copy(base, folder)
            path = _changed_file(whole, changes[name], run_folder / "spikes" / "after_layer0.nix")
            path.write_bytes(sealed(path.read_bytes()))
            return [str(run_folder)]
        return Case(f"in a run folder: {name}", make, raster.main)

    def special(kind):
        def make(folder):
            file = folder / "spikes.nix"
            {"a pipe": lambda: os.mkfifo(file), "a device": lambda: file.symlink_to("/dev/zero"), "a folder": file.mkdir,
             "sparse, 64 GiB": lambda: (file.touch(), os.truncate(file, 2**36))}[kind]()
            return [str(file)]
        return Case(kind, make, membrane.main)

    bombs = [name for name in changes if "array" in name or "groups" in name or "ways" in name or "MB" in name]
    return [*(case(name) for name in changes), *(case(name, True) for name in bombs),
            *(of_bytes(name, content) for name, content in _hdf5_bytes(whole).items()),
            of_bytes("a bit of a sealed file", sealed_whole[:900] + bytes([sealed_whole[900] ^ 1]) + sealed_whole[901:]),
            *(in_run(name) for name in bombs[:3]), *(special(k) for k in ("a pipe", "a device", "a folder", "sparse, 64 GiB"))]


def nir_cases(scratch):
    network = yin_yang.graph(yin_yang.PARAMETERS["network"])
    graph = to_nir(network, initial_parameters(network, np.random.default_rng(0)))
    plain = scratch / "plain.nir"
    nir.write(plain, graph)
    whole = plain.read_bytes()
    write_nir(scratch / "sealed.nir", graph)
    ours = (scratch / "sealed.nir").read_bytes()
    changes = _hdf5_changes(scratch, lambda file: (file["node/nodes/input_to_layer0"], "weight"))

    def node(text, value):
        def change(file):
            group = file["node/nodes/input_to_layer0"]
            if text in group:
                del group[text]
            group[text] = value
        return change

    changes |= {"a type that is none": node("type", "Magic"), "weights of one dimension": node("weight", np.zeros(5)),
                "weights of another shape": node("weight", np.zeros((3, 3))), "no weights": node("weight", np.zeros((0, 0))),
                "weights that are not finite": node("weight", np.full((120, 151), np.nan)),
                "a switch that is nir's": lambda file: file["node"].__setitem__("type_check", False),
                "no edges": lambda file: file["node"].__delitem__("edges"),
                "no nodes": lambda file: file["node"].__delitem__("nodes")}

    def case(name, with_seal=False):
        def make(folder):
            path = _changed_file(whole, changes[name], folder / "graph.nir")
            if with_seal:
                path.write_bytes(sealed(path.read_bytes()))
            return [str(path)]
        return Case(f"{name}{', sealed' if with_seal else ''}", make, _graph)

    def of_bytes(name, content):
        def make(folder):
            (folder / "graph.nir").write_bytes(content)
            return [str(folder / "graph.nir")]
        return Case(name, make, _graph)

    def special(kind):
        def make(folder):
            file = folder / "graph.nir"
            {"a pipe": lambda: os.mkfifo(file), "a device": lambda: file.symlink_to("/dev/zero"), "a folder": file.mkdir,
             "sparse, 64 GiB": lambda: (file.touch(), os.truncate(file, 2**36))}[kind]()
            return [str(file)]
        return Case(kind, make, _graph)

    bombs = [name for name in changes if "array" in name or "groups" in name or "ways" in name or "MB" in name]
    return [*(case(name) for name in changes), *(case(name, True) for name in bombs),
            *(of_bytes(name, content) for name, content in _hdf5_bytes(whole).items()),
            of_bytes("a bit of a sealed file", ours[:900] + bytes([ours[900] ^ 1]) + ours[901:]),
            *(special(k) for k in ("a pipe", "a device", "a folder", "sparse, 64 GiB"))]


def _graph(arguments):
    from_nir(read_nir(arguments[0]), t_early=1.5, t_late=20.0)


KINDS = ("TOML", "JSON", "npz", "IDX", "NIX", "NIR")


def cases(kind, base, scratch):
    """All cases of a kind of file. base: a finished run; scratch: a folder for files that others are made of."""
    return {"TOML": lambda: toml_cases(base), "JSON": lambda: json_cases(base), "npz": lambda: npz_cases(base),
            "IDX": idx_cases, "NIX": lambda: nix_cases(base, scratch), "NIR": lambda: nir_cases(scratch)}[kind]()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--match", default="", help="cases with this in their name")
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--verbose", action="store_true", help="every case with what was said")
    a = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    table = []
    with tempfile.TemporaryDirectory() as temporary:
        base = base_run(Path(temporary) / "base")
        for kind in [a.only] if a.only else KINDS:
            scratch = Path(temporary) / kind
            scratch.mkdir()
            right, most, longest, n = 0, 0.0, 0.0, 0
            for k, case in enumerate(cases(kind, base, scratch)):
                if a.match not in case.name:
                    continue
                folder = scratch / str(k)
                folder.mkdir()
                found = outcome(case, folder, a.megabytes, a.seconds)
                shutil.rmtree(folder)
                n, right = n + 1, right + found.right
                most, longest = max(most, found.megabytes), max(longest, found.seconds)
                if a.verbose or not found.right:
                    said = [line[:230] for line in found.lines[-2:]]
                    print(f"{kind}, {case.name}: status {found.status}, {len(found.lines)} lines, {found.seconds:.1f} s, "
                          f"{found.megabytes:.0f} MB: {said}", flush=True)
            table.append(f"{kind:<6} {right} of {n} refused with one line and status 2; at most {most:.0f} MB, {longest:.1f} s")
    print("\n".join(table))


if __name__ == "__main__":
    main()
