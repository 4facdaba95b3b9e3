"""Faults planted in `mclmc`."""

from mcmc_bench.checks.kernel.mutants import Fault

FAULTS = {
    "mclmc_turn": Fault(
        "turns away from the gradient", replaced=(("toward * gradient[chain, i]", "-toward * gradient[chain, i]"),)
    ),
    "mclmc_dimension": Fault(
        "d instead of d − 1", replaced=(("delta = duration * norm / (dim - 1)", "delta = duration * norm / dim"),)
    ),
}
#: Nothing is replaced: what is planted is seen, and not the planting.
CONTROLS = {
    "mclmc": Fault("none", replaced=(("toward * gradient[chain, i]", "toward * gradient[chain, i]"),)),
}
