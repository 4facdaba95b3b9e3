"""A weights file comes back as it was written; one that is damaged, of another network or hostile is refused, and says so."""

import json
import pickle
import zipfile

import numpy as np
import pytest

from mcmc_bench.core.streams import stream
from mcmc_bench.densities.learning.network import WeightsError, read, write


def same(one, other):
    return (
        all(np.array_equal(one.arrays[name], other.arrays[name]) for name in one.arrays)
        and (one.scale, one.lowest_noise, one.highest_noise) == (other.scale, other.lowest_noise, other.highest_noise)
        and one.provenance == other.provenance
    )


def rewritten(file, **changes):
    """The file with entries changed, added, or left out (None)."""
    with np.load(file) as stored:
        entries = {name: stored[name] for name in stored.files}
    entries |= changes
    np.savez(file, **{name: value for name, value in entries.items() if value is not None})


def about(file, **changes):
    """What the file says about itself, with changes, as an entry."""
    with np.load(file) as stored:
        told = json.loads(str(stored["about"])) | changes
    return np.array(json.dumps({name: value for name, value in told.items() if value != "left out"}))


def refusal(file):
    with pytest.raises(WeightsError) as refused:
        read(file)
    message = str(refused.value)
    assert message.startswith((str(file), f"no weights file {file}"))
    assert message.endswith("train it again with `mcmc-bench train`")
    return message


def test_what_is_written_is_read(weights, network):
    assert same(read(weights), network)


def test_writing_leaves_the_old_file_or_the_new_one(weights, network, monkeypatch):
    """Also when it is interrupted in the middle; and nothing else is left in the folder."""
    before = weights.read_bytes()

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("pathlib.Path.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write(weights, network)
    assert weights.read_bytes() == before
    assert list(weights.parent.iterdir()) == [weights]


def test_missing(tmp_path):
    assert "no weights file" in refusal(tmp_path / "nowhere.npz")


@pytest.mark.parametrize("share", np.linspace(0.0, 0.999, 20))
def test_truncated(weights, share):
    content = weights.read_bytes()
    weights.write_bytes(content[: int(share * len(content))])
    assert "is not a whole weights file" in refusal(weights)


def test_flipped_bytes_are_seen_or_change_nothing(weights, network):
    """A bit at 300 places, each alone. Most are in the numbers, where the sum of zip sees them."""
    content, generator = weights.read_bytes(), stream("flipped bits")
    seen = 0
    for _ in range(300):
        at, bit = int(generator.integers(len(content))), int(generator.integers(8))
        damaged = bytearray(content)
        damaged[at] ^= 1 << bit
        weights.write_bytes(damaged)
        try:
            assert same(read(weights), network), f"bit {bit} of byte {at}"
        except WeightsError:
            seen += 1
    assert seen > 200


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"bias_2": None}, "holds no bias_2: weights of another network"),
        ({"about": None}, "holds no about"),
        ({"weight_4": np.zeros(3)}, "holds weight_4 besides: weights of another network"),
        ({"bias_2": np.zeros(11)}, r"bias_2 has shape \(11,\), which does not fit the others"),
        ({"noise_1": np.zeros((3, 20))}, r"noise_1 has shape \(3, 20\), which does not fit the others"),
        ({"weight_1": np.zeros((6, 10, 1))}, r"weight_1 must have 2 dimensions of floats, not float64\(6, 10, 1\)"),
        ({"weight_1": np.zeros((6, 10), dtype=int)}, "weight_1 must have 2 dimensions of floats, not int64"),
        ({"weight_1": np.zeros((6, 10), dtype=complex)}, "not complex128"),
        ({"mean": np.zeros(0)}, r"mean has shape \(0,\)"),
        ({"linear": np.full(10, np.nan)}, "linear holds numbers that are not finite"),
        ({"about": np.array("{")}, "says nothing readable about itself"),
        ({"about": np.array("[1, 2]")}, "says nothing readable about itself"),
        ({"about": np.array("[" * 100_000)}, "says nothing readable about itself"),
        ({"about": np.zeros((2, 2))}, "says nothing readable about itself"),
    ],
)
def test_of_another_network(weights, changes, message):
    rewritten(weights, **changes)
    with pytest.raises(WeightsError, match=message):
        read(weights)
    refusal(weights)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "has format 2, and this version reads 1"),
        ({"format": "left out"}, "says nothing readable about itself"),
        ({"scale": -1.0}, "scale -1 and noise 0.1 … 8 must be greater than 0 and rising"),
        ({"scale": "wide"}, "says nothing readable about itself"),
        ({"scale": float("nan")}, "scale nan"),
        ({"scale": None}, "says nothing readable about itself"),
        ({"lowest_noise": 9.0}, "noise 9 … 8 must be greater than 0 and rising"),
        ({"highest_noise": float("inf")}, "noise 0.1 … inf"),
        ({"provenance": "secret"}, "says nothing readable about itself"),
    ],
)
def test_that_says_wrong_things_about_itself(weights, changes, message):
    rewritten(weights, about=about(weights, **changes))
    assert message in refusal(weights)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"variances": np.array([0.4, -0.2, 0.3, 0.1])}, "variances must not be negative, and the least is -0.2"),
        ({"variances": np.full(4, -1e-17)}, "variances must not be negative, and the least is -1e-17"),
        ({"rest": np.array(-0.5)}, "rest must not be negative, and the least is -0.5: the energy would not confine"),
    ],
)
def test_whose_energy_does_not_confine(weights, along_directions, changes, message):
    write(weights, along_directions)
    read(weights)  # which has variances that are none
    rewritten(weights, variances=np.zeros(4), rest=np.array(0.0))
    read(weights)  # nothing along a direction is not against the rules
    rewritten(weights, **changes)
    assert message in refusal(weights)


class Hostile:
    """When it is unpickled, it makes a file."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return open, (str(self.file), "w")


def test_pickles_are_not_executed(weights, tmp_path):
    mark = tmp_path / "executed"
    rewritten(weights, bias_1=np.array([Hostile(mark)], dtype=object))
    assert "is not a whole weights file (Object arrays cannot be loaded" in refusal(weights)
    assert not mark.exists()
    with np.load(weights, allow_pickle=True) as stored:  # power: who allows it is hurt
        stored["bias_1"][0].close()
    assert mark.exists()
    mark.unlink()
    weights.write_bytes(pickle.dumps(Hostile(mark)))
    refusal(weights)
    assert not mark.exists()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04"])
def test_no_zip_at_all(weights, content):
    weights.write_bytes(content)
    assert "is not a whole weights file" in refusal(weights)


def test_one_array_is_no_weights_file(weights):
    with weights.open("wb") as stream:
        np.save(stream, np.zeros(3))
    assert "is not a whole weights file" in refusal(weights)


def test_a_header_that_promises_more_than_there_is(weights):
    """Nothing is allocated for it: a terabyte would not fit."""
    with zipfile.ZipFile(weights, "a") as archive:
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (250000000000,), }"
        header += b" " * (118 - len(header) - 1) + b"\n"
        archive.writestr("huge.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 8)
    assert "is not a whole weights file" in refusal(weights)


@pytest.mark.slow
def test_a_file_that_unpacks_to_gigabytes(weights):
    with (
        zipfile.ZipFile(weights, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        archive.open("huge.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(257):
            member.write(bytes(2**20))
    assert weights.stat().st_size < 3e6
    assert "it unpacks to" in refusal(weights)
