/* MALA on a mixture of Gaussians in two dimensions with equal weights and unit scale, three times: what a C programmer
   writes first, what he writes for speed, and the floor. All keep the sums of x, x² and of the acceptance
   probability, as the project's kernels do. Means are (modes, 2). `sums` is (3,): Σ x, Σ x², Σ acceptance. */
#include <stdlib.h>
#include <string.h>

#include "random.h"

#define DIM 2
#define MODES 8

/* ------------------------------------------------ plain loops: any dimension, any number of modes, chain by chain */

static double density_plain(const double *x, double *gradient, const double *means, double *exponent, int modes,
                            int dim) {
    double largest = -1e300, total = 0.0;
    for (int k = 0; k < modes; k++) {
        exponent[k] = 0.0;
        for (int i = 0; i < dim; i++) exponent[k] -= 0.5 * (x[i] - means[k * dim + i]) * (x[i] - means[k * dim + i]);
        if (exponent[k] > largest) largest = exponent[k];
    }
    for (int i = 0; i < dim; i++) gradient[i] = 0.0;
    for (int k = 0; k < modes; k++) {
        double weight = exp(exponent[k] - largest);
        total += weight;
        for (int i = 0; i < dim; i++) gradient[i] += weight * (means[k * dim + i] - x[i]);
    }
    for (int i = 0; i < dim; i++) gradient[i] /= total;
    return largest + log(total);
}

/* ------------------------------------------------ sizes known, the modes as one vector: libmvec's exp */

static inline double density_modes(const double *restrict x, double *restrict gradient, const double *restrict means) {
    double m0[MODES], m1[MODES], exponent[MODES];
    double largest = -1e300, total = 0.0, g0 = 0.0, g1 = 0.0;
    for (int k = 0; k < MODES; k++) m0[k] = means[2 * k], m1[k] = means[2 * k + 1];
    for (int k = 0; k < MODES; k++) {
        double d0 = m0[k] - x[0], d1 = m1[k] - x[1];
        exponent[k] = -0.5 * (d0 * d0 + d1 * d1);
        largest = exponent[k] > largest ? exponent[k] : largest;
    }
#pragma omp simd reduction(+ : total, g0, g1)
    for (int k = 0; k < MODES; k++) {
        double weight = exp(exponent[k] - largest);
        total += weight;
        g0 += weight * (m0[k] - x[0]);
        g1 += weight * (m1[k] - x[1]);
    }
    gradient[0] = g0 / total;
    gradient[1] = g1 / total;
    return largest + log(total);
}

#define CHAIN_BY_CHAIN(NAME, DENSITY)                                                                                \
    void NAME(double *position, const double *means, long chains, long steps, double step_size, long seed,           \
              double *sums) {                                                                                        \
        Random random = seeded(seed);                                                                                \
        double noise_scale = sqrt(2.0 * step_size), exponent[64];                                                    \
        volatile int runtime_modes = MODES, runtime_dim = DIM;                                                       \
        int modes = runtime_modes, dim = runtime_dim;                                                                \
        (void)modes, (void)dim, (void)exponent;                                                                      \
        for (long chain = 0; chain < chains; chain++) {                                                              \
            double *x = position + chain * DIM, g[DIM], y[DIM], h[DIM];                                              \
            double log_density = DENSITY(x, g);                                                                      \
            for (long n = 0; n < steps; n++) {                                                                       \
                double forward = 0.0, backward = 0.0;                                                                \
                for (int i = 0; i < DIM; i++) {                                                                      \
                    double z = noise_scale * normal(&random);                                                        \
                    y[i] = x[i] + step_size * g[i] + z;                                                              \
                    forward += z * z;                                                                                \
                }                                                                                                    \
                double proposed = DENSITY(y, h);                                                                     \
                for (int i = 0; i < DIM; i++) {                                                                      \
                    double back = x[i] - y[i] - step_size * h[i];                                                    \
                    backward += back * back;                                                                         \
                }                                                                                                    \
                double ratio = proposed - log_density + (forward - backward) / (4.0 * step_size);                    \
                double acceptance = ratio < 0.0 ? exp(ratio) : 1.0;                                                  \
                if (uniform(&random) < acceptance) {                                                                 \
                    for (int i = 0; i < DIM; i++) x[i] = y[i], g[i] = h[i];                                          \
                    log_density = proposed;                                                                          \
                }                                                                                                    \
                sums[2] += acceptance;                                                                               \
                for (int i = 0; i < DIM; i++) sums[0] += x[i], sums[1] += x[i] * x[i];                               \
            }                                                                                                        \
        }                                                                                                            \
    }

#define PLAIN(x, g) density_plain(x, g, means, exponent, modes, dim)
#define OVER_MODES(x, g) density_modes(x, g, means)
CHAIN_BY_CHAIN(mala_plain, PLAIN)
CHAIN_BY_CHAIN(mala_libmvec, OVER_MODES)

/* ------------------------------------------------ the floor: chains side by side in SIMD registers */

#define LANES 32 /* chains that move in lock-step */

/* e^x for −708 < x ≤ 0: range reduction, Taylor polynomial of degree 13, exponent bits. */
static inline double exp_lane(double x) {
    x = x < -708.0 ? -708.0 : x;
    double k = rint(x * 1.4426950408889634);  /* not by adding 1.5 · 2⁵²: fast-math takes that away again */
    double r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10, p = 1.0 / 6227020800.0;
    p = p * r + 1.0 / 479001600.0;
    p = p * r + 1.0 / 39916800.0;
    p = p * r + 1.0 / 3628800.0;
    p = p * r + 1.0 / 362880.0;
    p = p * r + 1.0 / 40320.0;
    p = p * r + 1.0 / 5040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    int64_t bits = ((int64_t)k + 1023) << 52;
    double power;
    memcpy(&power, &bits, 8);
    return p * power;
}

static inline void density_lanes(const double y[DIM][LANES], double *restrict log_density, double h[DIM][LANES],
                                 const double *restrict means) {
#pragma omp simd
    for (int c = 0; c < LANES; c++) {
        double exponent[MODES], largest = -1e300, total = 0.0, g0 = 0.0, g1 = 0.0;
#pragma GCC unroll 8
        for (int k = 0; k < MODES; k++) {
            double d0 = means[2 * k] - y[0][c], d1 = means[2 * k + 1] - y[1][c];
            exponent[k] = -0.5 * (d0 * d0 + d1 * d1);
            largest = exponent[k] > largest ? exponent[k] : largest;
        }
#pragma GCC unroll 8
        for (int k = 0; k < MODES; k++) {
            double weight = exp_lane(exponent[k] - largest);
            total += weight;
            g0 += weight * means[2 * k];
            g1 += weight * means[2 * k + 1];
        }
        h[0][c] = g0 / total - y[0][c];
        h[1][c] = g1 / total - y[1][c];
        log_density[c] = largest + log(total);
    }
}

/* `chains` must be a multiple of LANES. */
void mala_lanes(double *position, const double *means, long chains, long steps, double step_size, long seed,
                double *sums) {
    Random random = seeded(seed);
    double noise_scale = sqrt(2.0 * step_size), quarter = 1.0 / (4.0 * step_size);
    for (long first = 0; first < chains; first += LANES) {
        double x[DIM][LANES], g[DIM][LANES], y[DIM][LANES], h[DIM][LANES], z[DIM][LANES], u[LANES];
        double log_density[LANES], proposed[LANES], sum[LANES] = {0}, square[LANES] = {0}, accepted[LANES] = {0};
        for (int c = 0; c < LANES; c++)
            for (int i = 0; i < DIM; i++) x[i][c] = position[(first + c) * DIM + i];
        density_lanes(x, log_density, g, means);
        for (long n = 0; n < steps; n++) {
            for (int i = 0; i < DIM; i++)
                for (int c = 0; c < LANES; c++) z[i][c] = normal(&random);
            for (int c = 0; c < LANES; c++) u[c] = uniform(&random);
            for (int i = 0; i < DIM; i++)
                for (int c = 0; c < LANES; c++) {
                    z[i][c] *= noise_scale;
                    y[i][c] = x[i][c] + step_size * g[i][c] + z[i][c];
                }
            density_lanes(y, proposed, h, means);
#pragma omp simd
            for (int c = 0; c < LANES; c++) {
                double b0 = x[0][c] - y[0][c] - step_size * h[0][c], b1 = x[1][c] - y[1][c] - step_size * h[1][c];
                double forward = z[0][c] * z[0][c] + z[1][c] * z[1][c];
                double ratio = proposed[c] - log_density[c] + (forward - b0 * b0 - b1 * b1) * quarter;
                double acceptance = exp_lane(ratio < 0.0 ? ratio : 0.0);
                int accept = u[c] < acceptance;
                x[0][c] = accept ? y[0][c] : x[0][c];
                x[1][c] = accept ? y[1][c] : x[1][c];
                g[0][c] = accept ? h[0][c] : g[0][c];
                g[1][c] = accept ? h[1][c] : g[1][c];
                log_density[c] = accept ? proposed[c] : log_density[c];
                accepted[c] += acceptance;
                sum[c] += x[0][c] + x[1][c];
                square[c] += x[0][c] * x[0][c] + x[1][c] * x[1][c];
            }
        }
        for (int c = 0; c < LANES; c++) {
            for (int i = 0; i < DIM; i++) position[(first + c) * DIM + i] = x[i][c];
            sums[0] += sum[c], sums[1] += square[c], sums[2] += accepted[c];
        }
    }
}
