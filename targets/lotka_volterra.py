"""Predators and prey: the rates of a differential equation from twenty years of pelts, with a gradient of its own.

The data are the Hudson's Bay Company's counts of hare and lynx pelts, 1900 to 1920, in thousands, and the model is that of
posteriordb's hudson_lynx_hare.
"""

import numpy as np

from mcmc_bench.core.target import Constrained, Target, point_density

from ._finite import finite_or_nothing

HARE = np.array(
    [
        30.0,
        47.2,
        70.2,
        77.4,
        36.3,
        20.6,
        18.1,
        21.4,
        22.0,
        25.4,
        27.1,
        40.3,
        57.0,
        76.6,
        52.3,
        19.5,
        11.2,
        7.6,
        14.6,
        16.2,
        24.7,
    ]
)
LYNX = np.array(
    [
        4.0,
        6.1,
        9.8,
        35.2,
        59.4,
        41.7,
        19.0,
        13.0,
        8.3,
        9.1,
        7.4,
        8.0,
        12.3,
        19.5,
        45.7,
        51.1,
        29.7,
        15.8,
        9.7,
        10.1,
        8.6,
    ]
)
#: Runge–Kutta steps in a year: log populations are then right to 1e-5 where the posterior has mass.
STEPS = 12
NAMES = ("α", "β", "γ", "δ", "hare₁₉₀₀", "lynx₁₉₀₀", "σ hare", "σ lynx")


@point_density
def log_density(x, gradient, data):
    """The log posterior at the logarithms of (α, β, γ, δ, hare, lynx at the start, σ of both); `data` holds steps a year and the
    logarithms of the counts (year, 2).

    With p = log hare, q = log lynx: p' = α − β e^q, q' = −γ + δ e^p, by the classical Runge–Kutta method together
    with the sensitivities of p and q to the first six coordinates. −∞ where a population is beyond the largest number.
    """
    steps = int(data[0])
    years = (data.shape[0] - 1) // 2
    alpha, beta, gamma, delta = np.exp(x[0]), np.exp(x[1]), np.exp(x[2]), np.exp(x[3])
    h = 1.0 / steps
    state = np.zeros((7, 2))  # row 0: p, q; row 1 + i: their derivatives by coordinate i
    state[0, 0], state[0, 1] = x[4], x[5]
    state[5, 0], state[6, 1] = 1.0, 1.0
    at, rate, sum_of_rates = np.empty((7, 2)), np.empty((7, 2)), np.empty((7, 2))
    precision_hare, precision_lynx = np.exp(-2.0 * x[6]), np.exp(-2.0 * x[7])
    for i in range(8):
        gradient[i] = 0.0
    total, square_hare, square_lynx = 0.0, 0.0, 0.0
    for year in range(years):
        away_hare, away_lynx = data[1 + 2 * year] - state[0, 0], data[2 + 2 * year] - state[0, 1]
        square_hare += away_hare**2
        square_lynx += away_lynx**2
        for i in range(6):
            gradient[i] += precision_hare * away_hare * state[1 + i, 0] + precision_lynx * away_lynx * state[1 + i, 1]
        if year == years - 1:
            break
        for _ in range(steps):
            for stage in range(4):
                shift = 0.0 if stage == 0 else (h if stage == 3 else 0.5 * h)
                for i in range(7):
                    for k in range(2):
                        at[i, k] = state[i, k] + (shift * rate[i, k] if stage > 0 else 0.0)
                eaten, born = beta * np.exp(at[0, 1]), delta * np.exp(at[0, 0])
                rate[0, 0], rate[0, 1] = alpha - eaten, born - gamma
                for i in range(1, 7):
                    rate[i, 0], rate[i, 1] = -eaten * at[i, 1], born * at[i, 0]
                rate[1, 0] += alpha
                rate[2, 0] -= eaten
                rate[3, 1] -= gamma
                rate[4, 1] += born
                weight = h / 6.0 if stage in (0, 3) else h / 3.0
                for i in range(7):
                    for k in range(2):
                        sum_of_rates[i, k] = (sum_of_rates[i, k] if stage > 0 else 0.0) + weight * rate[i, k]
            for i in range(7):
                for k in range(2):
                    state[i, k] += sum_of_rates[i, k]
    total -= 0.5 * (precision_hare * square_hare + precision_lynx * square_lynx) + years * (x[6] + x[7])
    gradient[6] += precision_hare * square_hare - years
    gradient[7] += precision_lynx * square_lynx - years
    # Priors, each with its Jacobian: normal cut off at 0 for the rates, log-normal for the rest.
    for i in range(4):
        centre = 1.0 if i % 2 == 0 else 0.05
        width = 0.5 if i % 2 == 0 else 0.05
        value = np.exp(x[i])
        total += x[i] - 0.5 * ((value - centre) / width) ** 2
        gradient[i] += 1.0 - value * (value - centre) / width**2
    for i in range(4, 8):
        centre = np.log(10.0) if i < 6 else -1.0
        total -= 0.5 * (x[i] - centre) ** 2
        gradient[i] -= x[i] - centre
    return finite_or_nothing(total, x, gradient)


def build() -> Target:
    """The posterior of the logarithms of eight positive parameters."""
    centre = np.log([0.55, 0.028, 0.80, 0.024, 34.0, 5.9, 0.25, 0.25])
    # Along the posterior's narrow directions: the four rates have to fit each other.
    spread = np.array([0.12, 0.15, 0.12, 0.15, 0.1, 0.1, 0.25, 0.25])

    return Target(
        dim=8,
        density=log_density,
        data=np.concatenate([[STEPS], np.log(np.column_stack([HARE, LYNX])).ravel()]),
        draw_dispersed=lambda generator, n: centre + 1.3 * spread * generator.standard_normal((n, 8)),
        one_point=centre + 0.5 * spread,
        constrained=Constrained(NAMES, np.exp),
        tags=("curved", "real data"),
        formula="hare' = (α − β lynx) hare, lynx' = (δ hare − γ) lynx; counts log-normal about the solution; coordinates are logarithms",
        description="A density whose every evaluation solves a differential equation, and its sensitivities with it.",
        source="Carpenter 2018, Stan case study; posteriordb, hudson_lynx_hare; data: Hewitt 1921",
        coordinate_names=tuple(f"log {name}" for name in NAMES),
    )
