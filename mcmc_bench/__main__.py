"""``python -m mcmc_bench`` is ``mcmc-bench``."""

from mcmc_bench.cli.app import main

main()
