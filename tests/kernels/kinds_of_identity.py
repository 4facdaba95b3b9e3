"""Densities −k x²/2 whose k comes from every kind of place, as texts of modules: k must be in the fingerprint of each.

A text has the number as {k}. `density` is what is compiled; `change`, where there is one, is a statement that sets k to
NEW in the module after it was made, as a notebook or a function `build` would.
"""

HEAD = """
import functools, math, enum, collections
import numba
import numpy as np
from numba.extending import intrinsic, register_jitable
from mcmc_bench.core.target import block_density, point_density
from mcmc_bench.kernels.jit import jit
"""

DENSITY = """
@point_density
def density(x, gradient, data):
    gradient[0] = -({of_k}) * x[0]
    return -0.5 * ({of_k}) * x[0] ** 2
"""


def density(of_k):
    return DENSITY.format(of_k=of_k)


#: name: (text of the module, statement that changes it)
KINDS = {
    "literal": (density("{k}"), None),
    "scalar": ("K = {k}" + density("K"), "K = NEW"),
    "numpy scalar": ("K = np.float64({k})" + density("K"), "K = np.float64(NEW)"),
    "array": ("K = np.array([0.0, {k}])" + density("K[1]"), "K[1] = NEW"),
    "large array": ("K = np.full(200_000, {k})" + density("K[7]"), "K[:] = NEW"),
    "structured array": ("K = np.array([({k}, 1)], dtype=[('a', 'f8'), ('b', 'i8')])" + density("K[0]['a']"), None),
    "tuple": ("K = (1.0, {k})" + density("K[1]"), "K = (1.0, NEW)"),
    "tuple of arrays": ("K = (np.ones(1), np.array([{k}]))" + density("K[1][0]"), "K[1][0] = NEW"),
    "named tuple": ("K = collections.namedtuple('K', 'a b')(1.0, {k})" + density("K.b"), "K = K._replace(b=NEW)"),
    "enumeration": ("class Level(enum.Enum):\n    HIGH = {k}\n" + density("Level.HIGH.value"), None),
    "imported module": ("import types\nconfig = types.ModuleType('config')\nconfig.K = {k}" + density("config.K"),
                        "config.K = NEW"),
    "default": ("@jit\ndef scale(k={k}):\n    return k\n" + density("scale()"), None),
    "helper": ("@jit\ndef scale():\n    return {k}\n" + density("scale()"), None),
    "helper's global": ("K = {k}\n@jit\ndef scale():\n    return K\n" + density("scale()"), "K = NEW"),
    "helper's helper": (
        "K = {k}\n@jit\ndef inner():\n    return K\n@jit\ndef scale():\n    return inner()\n" + density("scale()"), "K = NEW"),
    "numba's own decorator": ("K = {k}\n@numba.njit(fastmath=True)\ndef scale():\n    return K\n" + density("scale()"), "K = NEW"),
    "compiled at once": ("K = {k}\n@numba.njit('f8()')\ndef scale():\n    return K\n" + density("scale()"), "K = NEW"),
    "marked for compiling": ("K = {k}\n@register_jitable\ndef scale():\n    return K\n" + density("scale()"), "K = NEW"),
    "other flags": (
        "@numba.njit(boundscheck={k} > 10, error_model='numpy')\ndef scale(x):\n    return {k}\n" + density("scale(x)"), None),
    "function inside": ("K = {k}" + """
@point_density
def density(x, gradient, data):
    scale = lambda value: K * value
    gradient[0] = -scale(x[0])
    return -0.5 * scale(x[0]) * x[0]
""", "K = NEW"),
    "closure": ("def make(k):" + density("k").replace("\n", "\n    ") + "\n    return density\ndensity = make({k})", None),
    "closure over an array": (
        "K = np.array([{k}])\ndef make(k):" + density("k[0]").replace("\n", "\n    ") + "\n    return density\ndensity = make(K)",
        "K[0] = NEW"),
    "closure over a function": (
        "def scaled(k):\n    @jit\n    def scale():\n        return k\n    return scale\n"
        "def make(scale):" + density("scale()").replace("\n", "\n    ") + "\n    return density\ndensity = make(scaled({k}))", None),
    "set by a function": (
        "K = None\ndef build(k):\n    global K\n    K = k\nbuild({k})" + density("K"), "build(NEW)"),
    "decorated": (
        ("def tenfold(function):\n    k = {k}\n    @functools.wraps(function)\n    def wrapped(x, gradient, data):\n"
        "        gradient[0] = -k * x[0]\n        return 0.5 * k * x[0] * x[0] * -1.0\n    return wrapped\n"
        "@point_density\n@tenfold\ndef density(x, gradient, data):\n    return 0.0\n"), None),
    "intrinsic": ("""
from numba import types
def made(k):
    @intrinsic
    def scale(typing_context):
        def generate(context, builder, signature, arguments):
            return context.get_constant(types.float64, k)
        return types.float64(), generate
    return scale
scale = made({k})
""" + density("scale()"), None),
    "recursive": ("""
K = {k}
@numba.njit('f8(i8)')
def scale(n):
    return K if n == 0 else scale(n - 1)
""" + density("scale(3)"), "K = NEW"),
}  # fmt: skip


def module(kind, k):
    """The module of one kind as a dictionary, with this k."""
    namespace = {"__name__": "kinds"}
    exec(compile(HEAD + KINDS[kind][0].replace("{k}", repr(float(k))), f"<{kind}>", "exec"), namespace)
    return namespace


def change(namespace, kind, k):
    """Set k in a module that is there already."""
    exec(KINDS[kind][1].replace("NEW", repr(float(k))), namespace)
