"""Fingerprints: another one for every change that matters, the same for every change that does not, anywhere."""

import ctypes
import enum
import functools
import os
import subprocess
import sys
import textwrap
import types
from dataclasses import dataclass, field
from pathlib import Path

import numba
import numpy as np
import pytest

from mcmc_bench.kernels.fingerprint import fingerprint
from mcmc_bench.kernels.frozen import frozen
from mcmc_bench.kernels.tokens import NoFingerprintError
from tests.kernels.kinds_of_identity import KINDS, change, module

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("kind", KINDS)
def test_the_number_is_in_it_wherever_it_comes_from(kind):
    one, same, other = (fingerprint(module(kind, k)["density"]) for k in (1.0, 1.0, 25.0))
    assert one == same
    assert one != other


@pytest.mark.parametrize("kind", [kind for kind, (_, statement) in KINDS.items() if statement is not None])
def test_a_number_that_is_set_later_is_in_it(kind):
    namespace = module(kind, 1.0)
    before = fingerprint(namespace["density"])
    change(namespace, kind, 25.0)
    assert fingerprint(namespace["density"]) != before
    assert (
        fingerprint(namespace["density"]) == fingerprint(module(kind, 25.0)["density"]) or kind == "set by a function"
    )


EVERY_KIND = """
from tests.kernels.kinds_of_identity import KINDS, module
from mcmc_bench.kernels.fingerprint import fingerprint
from mcmc_bench.kernels.frozen import frozen
from tests.kernels.test_frozen import target_of, value
import sys
for kind in KINDS:
    density = module(kind, {k})["density"]
    print(kind, fingerprint(density), value(target_of(density)), sep="|")
"""


def test_processes_agree_and_never_read_each_others_code(tmp_path):
    """All kinds with k = 1, 25 and 1 again, in three processes that share a cache and hash texts differently."""
    found = []
    for seed, k in enumerate((1.0, 25.0, 1.0)):
        environment = {
            **os.environ,
            "PYTHONHASHSEED": str(seed),
            "MCMC_BENCH_CACHE_DIR": str(tmp_path),
            "PYTHONPATH": str(ROOT),
        }
        program = [sys.executable, "-c", EVERY_KIND.format(k=k)]
        done = subprocess.run(program, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        lines = [line.split("|") for line in done.stdout.splitlines()]
        assert {kind: float(value) for kind, _, value in lines} == dict.fromkeys(KINDS, -k)
        found.append({kind: known for kind, known, _ in lines})
    assert found[0] == found[2]
    assert not set(found[0].values()) & set(found[1].values())


def made(text, name="made", **names):
    namespace = {"np": np, **names}
    exec(compile(textwrap.dedent(text), f"/anywhere/{name}.py", "exec"), namespace)
    return namespace["f"]


def test_place_name_of_file_and_docstring_do_not_count():
    plain = made("def f(x):\n    return x + 1.0\n")
    moved = made("\n\n\ndef f(x):\n    '''Said otherwise.'''\n    return x + 1.0\n", "elsewhere")
    assert fingerprint(plain) == fingerprint(moved)
    assert fingerprint(made("def f():\n    '''a'''\n    return 'a'\n")) != fingerprint(
        made("def f():\n    '''b'''\n    return 'b'\n")
    )


def test_other_functions_of_the_module_do_not_count():
    alone = made("K = 1.0\ndef f(x):\n    return K * x\n")
    in_company = made("K = 1.0\nL = 2.0\ndef g(x):\n    return L * x\ndef f(x):\n    return K * x\n")
    assert fingerprint(alone) == fingerprint(in_company)


@dataclass
class Pair:
    """Two numbers, and one that is worked out of them."""

    a: float
    b: float = 1.0
    seen: list = field(default_factory=list)

    @functools.cached_property
    def total(self):
        return self.a + self.b


class Plain:
    factor = 2.0

    def __init__(self, a):
        self.a = a

    @functools.cached_property
    def double(self):
        return self.factor * self.a


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (1.0, np.float64(1.0)),
        (True, 1),
        (0.0, -0.0),
        ("a", b"a"),
        ((1, 2), [1, 2]),
        ((1, (2,)), ((1, 2),)),
        (np.ones(2), np.ones(2, np.float32)),
        (np.ones((2, 1)), np.ones((1, 2))),
        (np.ones((2, 3)), np.ones((3, 2)).T),
        ({"a": 1}, {"a": 2}),
        ({1, 2}, {1, 3}),
        (Pair(1.0), Pair(2.0)),
        (Plain(1.0), Plain(2.0)),
        (functools.partial(max, 1), functools.partial(max, 2)),
        (functools.partial(max, 1), functools.partial(min, 1)),
        (np.random.default_rng(1), np.random.default_rng(2)),
        (np.sin, np.cos),
        (Plain(1.0).__init__, Plain(2.0).__init__),
        (functools.cache(lambda: 1), functools.cache(lambda: 2)),
        (np.dtype("f4"), np.dtype("f8")),
        (range(2), range(3)),
        (np.array([None, 1]), np.array([None, 2])),
        (np.array(["a"]), np.array(["b"])),
    ],
)
def test_values_that_differ(one, other):
    assert fingerprint(one) != fingerprint(other)
    assert fingerprint(one) == fingerprint(one)


def test_order_counts_where_code_sees_it():
    assert fingerprint({"a": 1, "b": 2}) != fingerprint({"b": 2, "a": 1})
    assert fingerprint({"x", "y", "z"}) == fingerprint({"z", "y", "x"})


class Array(np.ndarray):
    pass


class Words(tuple):  # noqa: SLOT001 - with attributes
    pass


class Forgetful:
    def __getstate__(self):
        return {}


class Level(enum.Enum):
    LOW = 1


def draw():
    return draw.k


def test_attributes_that_are_not_declared_count():
    for value in (Pair(1.0), Words((1,)), np.zeros(2).view(Array), Forgetful(), Level.LOW, draw):
        seen = set()
        for k in (1, 2, 2):
            value.k = k
            seen.add(fingerprint(value))
        assert len(seen) == 2, value


def test_attributes_of_a_metaclass_count():
    assert fingerprint(type("M", (type,), {"k": 1})("C", (), {})) != fingerprint(
        type("M", (type,), {"k": 2})("C", (), {})
    )


def test_names_of_the_fields_of_a_record_count():
    one, other = (np.zeros(1, [(name, "f8") for name in names])[0] for names in ("ab", "ba"))
    assert fingerprint(one) != fingerprint(other)


def test_signatures_count_and_are_kept_by_what_is_frozen():
    """In single precision 1.7 · 0.1 is another number."""

    def tenth(x):
        return x * 0.1

    made = [numba.njit(*signature)(tenth) for signature in ((), ("f8(f8)",), ("f4(f4)",), ("i8(i8)",))]
    assert len({fingerprint(one) for one in made}) == 4
    for one in made:
        assert frozen(numba.njit(_calling(one)))(1.7) == one(1.7)


def _calling(one):
    def calls(x):
        return one(x)

    return calls


class Raises:
    def __getattr__(self, name):
        raise RuntimeError(name)

    def __repr__(self):
        raise RuntimeError("repr")


@pytest.mark.parametrize(
    "value",
    [
        np.zeros(1, np.dtype({"names": ["a", "b"], "formats": ["f8", "f4"], "offsets": [0, 4]})),
        Raises(),
        {Raises(): 1},
    ],
    ids=["overlapping fields", "attributes", "representation"],
)
def test_what_cannot_be_looked_at_is_refused(value):
    with pytest.raises(NoFingerprintError):
        fingerprint(value)


def test_what_is_worked_out_at_first_use_does_not_count():
    for value, name in ((Pair(1.0), "total"), (Plain(1.0), "double")):
        before = fingerprint(value)
        getattr(value, name)
        assert fingerprint(value) == before


def test_flags_of_the_compiler_count():
    def double(x):
        return 2.0 * x

    flags = ({}, {"fastmath": True}, {"boundscheck": True}, {"error_model": "numpy"}, {"fastmath": {"contract"}})
    assert len({fingerprint(numba.njit(**given)(double)) for given in flags}) == len(flags)
    assert fingerprint(numba.njit(double)) == fingerprint(numba.njit(double))


def test_circles_end():
    circle = [1.0]
    circle.append(circle)
    longer = [1.0, [1.0]]
    longer[1].append(longer)
    assert fingerprint(circle) != fingerprint(longer)


def test_class_attributes_and_methods_count():
    text = "class C:\n    k = {k}\n    def m(self):\n        return {m}\ndef f():\n    return C.k + C().m()\n"
    found = {fingerprint(made(text.format(k=k, m=m))) for k, m in ((1, 1), (2, 1), (1, 2))}
    assert len(found) == 3


@pytest.mark.parametrize("statement", ["from helper_of_f import K", "import helper_of_f\n    K = helper_of_f.K"])
def test_imports_inside_a_function_count(tmp_path, monkeypatch, statement):
    monkeypatch.syspath_prepend(str(tmp_path))
    function, found = made(f"def f():\n    {statement}\n    return K\n"), []
    for k in (1.0, 25.0, 1.0):
        (tmp_path / "helper_of_f.py").write_text(
            f"K = {k}\n#{'x' * int(k)}\n"
        )  # another size: Python's cache looks at it
        monkeypatch.delitem(sys.modules, "helper_of_f", raising=False)
        found.append(fingerprint(function))
    monkeypatch.delitem(sys.modules, "helper_of_f")
    assert found[0] == found[2] != found[1]


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    return np.load(FILE)",
        "def f():\n    return np.load(FOLDER / 'numbers.npy')",
        "def f():\n    return (FOLDER / 'numbers.npy').read_bytes()",
        "def f():\n    return np.load(TEXT)",
        "def f():\n    return np.load(__file__.replace('made.py', 'numbers.npy'))",
    ],
)
def test_files_that_a_function_reads_when_it_is_called_count(tmp_path, text):
    names = {"FILE": tmp_path / "numbers.npy", "FOLDER": tmp_path, "TEXT": str(tmp_path / "numbers.npy")}
    function, found = made(text, **names, __file__=str(tmp_path / "made.py")), []
    for k in (1.0, 25.0, 1.0):
        np.save(tmp_path / "numbers.npy", np.full(2, k))
        found.append(fingerprint(function))
    assert found[0] == found[2] != found[1]


POINTER = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(lambda x: x)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(x):\n    return POINTER(x)", "global POINTER of f(): a ctypes."),
        (
            "def g(x):\n    return POINTER(x)\ndef f(x):\n    return g(x)",
            "global POINTER of g() of global g of f(): a ",
        ),
        ("def f():\n    return OPEN", "global OPEN of f(): a _io.TextIOWrapper"),
        ("G = (i for i in range(3))\ndef f():\n    return next(G)", "global G of f(): a builtins.generator"),
        ("def f(x):\n    return eval('x')", "f(): it uses eval, by which it may depend on anything"),
        ("import os\ndef f(x):\n    return float(os.environ['K'])", "f(): it uses environ, by which"),
        (
            "def f(file):\n    return np.load(file)",
            "f(): it reads a file when it is called, and which one cannot be seen",
        ),
        (  # that another file is seen is no excuse
            "def g():\n    return np.load(FILE)\ndef f(file):\n    return g(), np.load(file)",
            "f(): it reads a file when it is called, and which one cannot be seen",
        ),
        (
            "def g():\n    return MODULE\ndef f():\n    return g().K",
            "global MODULE of g() of global g of f(): the module kinds as a value",
        ),
        ("def f(x):\n    return UFUNC(x)", "global UFUNC of f(): a NumPy ufunc that is not NumPy's own"),
    ],
)
def test_what_has_no_fingerprint_is_named_with_its_place(text, said):
    with Path(__file__).open() as opened:
        function = made(
            text,
            POINTER=POINTER,
            OPEN=opened,
            FILE=Path(__file__),
            MODULE=types.ModuleType("kinds"),
            UFUNC=np.frompyfunc(lambda x: x, 1, 1),
        )
        with pytest.raises(NoFingerprintError) as refused:
            fingerprint(function)
    assert str(refused.value).startswith(said)


def test_a_library_counts_by_its_version(monkeypatch):
    before = fingerprint(np.linalg.solve)
    from mcmc_bench.kernels import names

    names.library_version.cache_clear()
    monkeypatch.setattr(np, "__version__", "0.0")
    other = fingerprint(np.linalg.solve)
    names.library_version.cache_clear()
    monkeypatch.undo()
    assert before != other
    assert fingerprint(np.linalg.solve) == before
