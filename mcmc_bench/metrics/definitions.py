"""What every metric means, in the words that stand on the page.

Must not know how any of them is computed, nor any target or sampler.
"""

from __future__ import annotations

from typing import Literal

from mcmc_bench.core.results import Definition

GROUPS = ("cost", "convergence", "accuracy", "distance", "modes", "examples", "diagnostics")

#: At most this many chains, draws of a chain, coordinates and modes are diagnosed, evenly picked: ArviZ costs more
#: than the sampling of a cheap target.
DIAGNOSED_CHAINS, DIAGNOSED_DRAWS, DIAGNOSED_COORDINATES, DIAGNOSED_MODES = 8, 250, 6, 8
#: Instead of coordinates, for targets that were learned from examples with more coordinates than that: the directions in
#: which the examples differ most. A pixel at the edge of all images says nothing.
DIAGNOSED_COMPONENTS = 8
#: Draws of a chain that are classified, at most.
CLASSIFIED_DRAWS = 50
#: Within-chain variance, over the true one, below which a chain has collapsed. Ascent at ελ = 0.02 still has 2.5e−6
#: after 250 steps; a chain that is merely slow has more.
COLLAPSED = 1e-3
#: b² below which an estimate has reached low error: a tenth of a standard deviation.
LOW_ERROR = 0.01

#: R-hat and ESS by which a user would take a run for converged (Vehtari et al. 2021).
R_HAT_LIMIT, ESS_LIMIT = 1.01, 400.0

_DIAGNOSED = (
    f"Of at most {DIAGNOSED_CHAINS} chains × {DIAGNOSED_DRAWS} draws, {DIAGNOSED_COORDINATES} coordinates, log p and "
    f"{DIAGNOSED_MODES} mode indicators, evenly picked; of targets learned from examples, {DIAGNOSED_COMPONENTS} principal "
    "components of the held-out ones instead of coordinates."
)

Direction = Literal["higher", "lower", "target"]


def definitions() -> dict[str, Definition]:
    """The definition of every metric, in the order of the page."""
    found: dict[str, Definition] = {}

    def add(key: str, group: str, direction: Direction, title: str, text: str, ideal: float | None = None) -> None:
        found[key] = Definition(title, " ".join(text.split()), direction, group, ideal)

    # fmt: off
    add("evaluations", "cost", "lower", "Evaluations per chain", """
        Target evaluations (log density, gradient or both at once) of one chain: tuning, warmup and sampling.
        Counted inside the kernel; one exact draw of the oracle counts as one.""")
    add("tuning_evaluations", "cost", "lower", "Tuning evaluations", "The part of the evaluations spent on tuning.")
    add("warmup_evaluations", "cost", "lower", "Warmup evaluations", "The part of the evaluations discarded.")
    add("sampling_evaluations", "cost", "lower", "Sampling evaluations", "The part of the evaluations measured.")
    add("sampling_seconds", "cost", "lower", "Seconds of sampling", """
        Seconds of all chains of a replicate after warmup, summed over threads. Wall time is secondary: it depends
        on the machine.""")
    add("compile_seconds", "cost", "lower", "Seconds of compilation", "Seconds until the compiled kernel was ready.")

    add("r_hat_max", "convergence", "lower", "Worst R-hat", f"""
        Largest rank-normalised split R-hat (Vehtari et al. 2021, by ArviZ) over coordinates, log p and mode
        indicators. {_DIAGNOSED} Not given for collapsed chains, where it means nothing; a lower bound where it is
        infinite for a mode indicator since no chain changes mode.""", 1.0)
    add("ess_bulk_min", "convergence", "higher", "Least bulk ESS", f"""
        Smallest bulk effective sample size (by ArviZ) over coordinates, log p and mode indicators; 0 for collapsed
        chains, for which the plain formula returns the number of draws. Good for a biased chain too: it knows no
        truth. {_DIAGNOSED}""")
    add("ess_tail_min", "convergence", "higher", "Least tail ESS", f"""
        Smallest tail effective sample size (5 % and 95 %, by ArviZ) over coordinates and log p; 0 for collapsed
        chains. {_DIAGNOSED}""")
    add("ess_log_density", "convergence", "higher", "Bulk ESS of log p", f"""
        Bulk effective sample size (by ArviZ) of the log density; 0 for collapsed chains. {_DIAGNOSED}""")
    add("within_chain_variance", "convergence", "target", "Variance within chains, over the true", f"""
        Mean over chains of the variance within a chain, summed over coordinates, over the true one. Below
        {COLLAPSED:g} in any coordinate the chains have collapsed. Below 1 for slow chains and for chains that stay in one
        mode. Where no truth is known but examples are: along principal components, over that of the held-out
        examples.""", 1.0)
    add("z_max", "convergence", "lower", "Largest |z|", """
        Largest |estimate − truth| / √(MCSE² + truth's SE²) over the indicators of the 5, 50 and 95 % quantiles of
        coordinates and log p, each bounded, with ArviZ's MCSE of the diagnosed draws (never less than that of
        independent draws).""")
    add("calibration", "convergence", "target", "Share of |z| < 1.96", """
        Share of the quantile indicators' |z| below 1.96. 0.95 if the error bars are right; indicators of one
        replicate are correlated, so that single values scatter widely.""", 0.95)
    add("silent_failure", "convergence", "lower", "Silent failures", """
        Share of replicates in which R-hat < 1.01 and bulk and tail ESS ≥ 400 for everything diagnosed, and yet the
        largest |z| is beyond its bound for 1000 replicates at 5 % (Bonferroni over replicates and indicators): wrong,
        and the diagnostics did not see it.""", 0.0)

    add("bias_squared_average", "accuracy", "lower", "b², average", """
        (estimate − truth)² / variance under the target, averaged over f = x and f = x² of every coordinate. The
        estimate is the mean over all transitions of all chains of a replicate.""", 0.0)
    add("bias_squared_max", "accuracy", "lower", "b², worst", """
        Largest (estimate − truth)² / variance under the target over f = x and f = x² of every coordinate, for
        estimates from all transitions of all chains of a replicate. Grows with the dimension even for independent
        draws: read it beside its floor.""", 0.0)
    add("constrained_bias_squared_average", "accuracy", "lower", "b² of constrained parameters, average", """
        As b², average, for the parameters as people write them where chains move in unconstrained ones (τ and not
        log τ): over f and f² of each of them, from the kept draws of all chains of a replicate.""", 0.0)
    add("constrained_bias_squared_max", "accuracy", "lower", "b² of constrained parameters, worst", """
        As b², worst, for the parameters as people write them; the note names the worst.""", 0.0)
    add("real_ess", "accuracy", "higher", "Real ESS of a chain", """
        Variance under the target / mean squared error of one chain's estimate (Turner and Neal 2017), harmonic mean
        over f = x and f = x² of every coordinate: the number of independent draws with the same error. Charges bias
        and variance. For a biased chain it is not a rate: read it with the budget.""")
    add("real_ess_worst", "accuracy", "higher", "Real ESS of a chain, worst", """
        Real ESS of the worst of f = x and f = x² over all coordinates.""")
    add("efficiency", "accuracy", "higher", "Real ESS per evaluation, share of the oracle's", """
        Real ESS of a chain over the number of independent draws that the same evaluations after warmup would buy.
        1 for the oracle at any budget; falls with the budget for a biased chain.""")
    add("gradients_to_low_error", "accuracy", "lower", "Evaluations to low error", f"""
        Target evaluations after warmup up to the last time that the median over chains of the worst b² (x and x²,
        running mean of one chain) exceeds {LOW_ERROR}. Censored if it ends above. Followed at the kept draws; where
        those are thinned, scaled so that its end is the error of all transitions. Floor: the same for independent
        draws.""")
    add("gradients_to_low_error_ratio", "accuracy", "lower", "Evaluations to low error, over the oracle's", """
        Evaluations to low error over the number of independent draws with the same error in the same
        dimension.""", 1.0)
    add("largest_bias", "accuracy", "lower", "Largest bias of a quantile", """
        Largest |mean over all chains and replicates of the share of draws below a known quantile − its level|, in
        standard deviations of that indicator. Follows Student's t over chains, which are independent.""", 0.0)
    add("bias_resolution", "accuracy", "lower", "Bias that would be seen", """
        The largest bias, in standard deviations of a quantile indicator, that this many chains cannot tell from none:
        half of the widest of their 95 % intervals, simultaneous over the indicators (Bonferroni).""", 0.0)
    add("calibration_p_value", "accuracy", "higher", "p-value of the bias test", """
        Bonferroni's p-value over the indicators of known quantiles of coordinates and log p, each tested on its means over single chains
        (Student's t; where chains stay on one side of a quantile, a bound by the binomial distribution). Fed into one
        Holm family over the suite.""")

    add("sliced_wasserstein_1", "distance", "lower", "Sliced Wasserstein-1", """
        Mean over 50 fixed random directions of the Wasserstein-1 distance between projections of at most 1000
        draws, evenly picked, and as many exact ones.""", 0.0)
    add("sliced_wasserstein_2", "distance", "lower", "Sliced Wasserstein-2", """
        Root of the mean over 50 fixed random directions of the squared Wasserstein-2 distance between projections of
        at most 1000 draws, evenly picked, and as many exact ones.""", 0.0)
    add("energy_distance", "distance", "lower", "Energy distance", """
        √max(0, 2 E‖X − Y‖ − E‖X − X'‖ − E‖Y − Y'‖) between at most 500 draws X and as many exact ones Y; means over
        pairs of different points.""", 0.0)
    add("maximum_mean_discrepancy", "distance", "lower", "Maximum mean discrepancy", """
        √max(0, MMD²) with the kernel exp(−r²/2h²), h the median distance between exact draws, between at most 500
        draws and as many exact ones; means over pairs of different points.""", 0.0)
    add("kernel_stein_discrepancy", "distance", "lower", "Kernel Stein discrepancy", """
        √max(0, KSD²) with the inverse multiquadric kernel (1 + r²)^(−½) on standardised coordinates, pairs of
        different points of at most 200 draws; where the target has no exact sampler. Blind to the weights of
        separate modes.""", 0.0)
    add("log_density_gap", "distance", "target", "Gap of log p", """
        Mean log density of the draws − its true expectation. Far above 0: draws sit on peaks, above the typical
        set.""", 0.0)
    add("log_density_gap_sd", "distance", "target", "Gap of log p, in sd", """
        Gap of log p over the standard deviation of log p under the target.""", 0.0)

    add("modes_found", "modes", "higher", "Modes found", """
        Share of the known modes that hold at least a tenth of their true weight among the draws. Says nothing about
        weights or spread: uniform noise finds every mode.""", 1.0)
    add("mode_weight_error", "modes", "lower", "Mode-weight error", """
        ½ Σ |share of the assigned draws in a mode − its true weight|: the mass in the wrong mode. 1 if no draw belongs
        to any.""", 0.0)
    add("unassigned_share", "modes", "lower", "Unassigned share", """
        Share of draws that belong to no known mode. Floor: that of exact draws.""")
    add("within_mode_variance_ratio", "modes", "target", "Spread within modes, over the true", """
        Variance of the draws around the mean of their mode, summed over coordinates and modes, over that of exact
        draws under the same assignment and with the same share of draws in each mode. 0 for gradient ascent. A target
        without known modes is one mode.""", 1.0)
    add("transitions_per_1000", "modes", "higher", "Mode changes per 1000 evaluations", """
        Changes of mode between successive kept draws of a chain per 1000 evaluations; draws outside all modes are
        passed over. A lower bound where draws are thinned.""")
    add("round_trips_per_1000", "modes", "higher", "Round trips per 1000 evaluations", """
        Returns of a chain to the first mode it was in, per 1000 evaluations. A lower bound where draws are
        thinned.""")
    add("occupancy_entropy", "modes", "higher", "Entropy of occupancy", """
        Entropy of the shares of the modes over the logarithm of their number. Worthless alone: uniform noise scores
        0.97 on 40 modes; read it with the unassigned share and the spread within modes.""")
    add("end_points", "modes", "higher", "Distinct end points, count", """
        Clusters of the end points of all chains of all replicates, at half the median nearest-neighbour distance
        between as many exact draws.""")
    add("distinct_end_points", "modes", "higher", "Distinct end points, share", """
        Clusters of the chains' end points of a replicate over the number of chains. Two points are one if closer than
        half the median nearest-neighbour distance between as many exact draws: copies with a little noise count
        once.""")

    add("class_entropy", "examples", "higher", "Entropy of classes", """
        Entropy, in natural logarithms, of the shares of the classes among the chains' ends without their noise;
        a class is what the target's classifier says: by default that of most of the five nearest training examples. What
        it is and its accuracy are stated with the target. Largest for equal shares. Peaks of all
        classes score as high as data: read it with the distinct share.""")
    add("classes_found", "examples", "higher", "Classes found", """
        Share of the classes that hold at least a tenth of an equal share.""", 1.0)
    add("classes_per_chain", "examples", "higher", "Classes visited by a chain", f"""
        Mean over chains of the number of classes among a chain's draws without their noise, of at most
        {CLASSIFIED_DRAWS} of them, evenly picked. Floor: the expected number among as many independent held-out
        examples by their true classes, without what the classifier confuses.""")
    add("distinct_data", "examples", "higher", "Distinct data, share", """
        Clusters of the chains' ends without their noise over the number of chains. Two are one if closer than
        half the median distance between a held-out example and the nearest other.""", 1.0)
    add("nearest_training", "examples", "target", "Nearest training example", """
        Median distance to the nearest training example. Floor: that of held-out examples. Far below it,
        training examples are copied; far above, draws look like none. Does not tell a collapse from diversity. Not given
        where the training examples are not stored.""")
    add("nearest_held_out", "examples", "target", "Nearest held-out example", """
        Median distance to the nearest held-out example. Floor: that of other real examples. Far above it, draws look like
        none; below it, they are smoother than data. Says nothing of copies of the training.""")
    add("pair_distance", "examples", "target", "Distance of pairs", """
        Median distance between two draws. Floor: between real examples. 0 where all chains end in one
        place.""")
    add("data_sliced_wasserstein", "examples", "lower", "Sliced Wasserstein-1 to held-out data", """
        Mean over 50 fixed random directions of the Wasserstein-1 distance between projections of the chains'
        ends without their noise and of as many held-out examples, the first ones and the same for all cells.""", 0.0)
    add("data_discrepancy", "examples", "lower", "Maximum mean discrepancy to held-out data", """
        As the maximum mean discrepancy of the distances, between the chains' ends without their noise and as
        many held-out examples; h is the median distance between held-out examples.""", 0.0)
    add("data_precision", "examples", "higher", "Precision", """
        Share of the chains' ends without their noise that lie within reach of a held-out example: nearer than its fifth neighbour
        (Kynkäänniemi et al. 2019, arXiv 1904.06991). Rewards copies, and ends
        that have collapsed to the middle of the data: they have a higher one than real examples.""")
    add("data_recall", "examples", "higher", "Recall", """
        Share of the held-out examples that lie nearer to a draw than its own fifth neighbour among the draws.
        Rewards garbage that is spread out.""")
    add("data_density", "examples", "target", "Density", """
        Mean number of held-out examples within whose reach a draw lies, over five (Naeem et al. 2020, arXiv
        2002.09797). Floor: that of other real examples. Below it, draws lie where there are few data; far above it, they
        have collapsed to where there are most.""")
    add("data_coverage", "examples", "higher", "Coverage", """
        Share of the held-out examples within whose reach some draw lies. Depends on the number of draws: read
        it beside its floor.""")
    add("vendi_score", "examples", "target", "Vendi score", """
        Exponential of the entropy of the eigenvalues of K/n, K = exp(−r²/2h²) over pairs of draws, h a third of
        the median distance between held-out examples (Friedman and Dieng 2023, arXiv 2210.02410): an effective
        number of different draws. Grows with their number, and garbage scores above data: secondary, and only
        beside its floor.""")
    add("escaped_share", "examples", "lower", "Escaped share", """
        Share of the chains' ends without their noise farther from the mean of real examples than one and a half times the
        farthest of them. Where chains have been before is not looked at.""", 0.0)

    add("acceptance_rate", "diagnostics", "higher", "Acceptance", """
        Mean acceptance probability over all transitions; 1 for kernels that reject nothing. Neither large nor small
        is good in itself.""")
    add("leapfrog_steps", "diagnostics", "target", "Leapfrog steps of a transition", """
        Mean over all transitions; for samplers that choose them.""")
    add("swap_rejection", "diagnostics", "lower", "Swaps rejected", """
        Mean rejection rate of swaps between neighbouring temperatures, over all pairs. Tempering works while no pair is
        near 1.""")
    add("replica_round_trips_per_1000", "diagnostics", "higher", "Round trips of replicas per 1000 evaluations", """
        States that come back to temperature 1 from the hottest replica, per 1000 evaluations of a chain. Where
        replicas forget between swaps, 1 / (2 + 2 Σ r/(1 − r)) for each transition, r the pairs' rejection rates
        (Syed et al. 2022).""")
    add("divergences", "diagnostics", "lower", "Divergences", "Divergent transitions of a replicate.", 0.0)
    add("stopped_chains", "diagnostics", "lower", "Chains that left", """
        Chains of a replicate whose position or log density was no longer finite. Estimates that include them have
        failed; they are never dropped.""", 0.0)
    # fmt: on
    return found
