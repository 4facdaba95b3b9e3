/* Log densities and gradients of statistical models, chain by chain, in plain loops: what a careful author of C would
   write first. x and gradient are (chains, dim). */
#include <math.h>
#include <stdlib.h>

/* φ⁴ on a periodic side × side lattice. */
void phi4(const double *x, long chains, long side, double kappa, double coupling, double *log_density, double *gradient) {
    long sites = side * side;
    for (long c = 0; c < chains; c++) {
        const double *restrict phi = x + c * sites;
        double *restrict slope = gradient + c * sites;
        double total = 0.0;
        for (long i = 0; i < side; i++)
            for (long j = 0; j < side; j++) {
                double v = phi[i * side + j];
                double right = phi[i * side + (j + 1) % side], left = phi[i * side + (j + side - 1) % side];
                double down = phi[((i + 1) % side) * side + j], up = phi[((i + side - 1) % side) * side + j];
                total += 2.0 * kappa * v * (right + down) - (1.0 - 2.0 * coupling) * v * v - coupling * v * v * v * v;
                slope[i * side + j] = 2.0 * kappa * (right + down + left + up) - 2.0 * (1.0 - 2.0 * coupling) * v -
                                      4.0 * coupling * v * v * v;
            }
        log_density[c] = total;
    }
}

/* A log-Gaussian Cox process: field = mean + L x, L lower triangular (the upper half is not read). */
void cox(const double *x, const double *counts, const double *root, long chains, long cells, double mean, double area,
         double *log_density, double *gradient) {
    double *residual = malloc(cells * sizeof *residual);
    for (long c = 0; c < chains; c++) {
        const double *restrict z = x + c * cells;
        double *restrict g = gradient + c * cells;
        double total = 0.0;
        for (long i = 0; i < cells; i++) {
            double f = mean;
            for (long j = 0; j <= i; j++) f += root[i * cells + j] * z[j];
            double intensity = area * exp(f);
            total += counts[i] * f - intensity - 0.5 * z[i] * z[i];
            residual[i] = counts[i] - intensity;
            g[i] = -z[i];
        }
        for (long i = 0; i < cells; i++)
            for (long j = 0; j <= i; j++) g[j] += root[i * cells + j] * residual[i];
        log_density[c] = total;
    }
    free(residual);
}

/* Two-parameter item response; answers ±1 item by item; coordinates: abilities, log discriminations, difficulties. */
void item_response(const double *x, const double *answers, long chains, long persons, long items, double *log_density,
                   double *gradient) {
    long dim = persons + 2 * items;
    for (long c = 0; c < chains; c++) {
        const double *restrict theta = x + c * dim;
        double *restrict g = gradient + c * dim;
        double total = 0.0;
        for (long i = 0; i < persons; i++) total -= 0.5 * theta[i] * theta[i], g[i] = -theta[i];
        for (long j = 0; j < items; j++) {
            double log_a = theta[persons + j], b = theta[persons + items + j], a = exp(log_a), da = 0.0, db = 0.0;
            for (long i = 0; i < persons; i++) {
                double s = answers[j * persons + i], z = s * a * (theta[i] - b), small = exp(-fabs(z));
                total -= (z < 0.0 ? -z : 0.0) + log1p(small);
                double push = s * (z > 0.0 ? small : 1.0) / (1.0 + small) * a;
                g[i] += push;
                db -= push;
                da += push * (theta[i] - b);
            }
            total -= 0.5 * log_a * log_a / 0.25 + 0.5 * b * b / 4.0;
            g[persons + j] = da - log_a / 0.25;
            g[persons + items + j] = db - b / 4.0;
        }
        log_density[c] = total;
    }
}

/* Sparse logistic regression: coefficients τ λ z on rows that carry the sign of their label. */
void sparse_logistic(const double *x, const double *rows, long chains, long n, long k, double *log_density,
                     double *gradient) {
    double *beta = malloc(2 * k * sizeof *beta), *slope = beta + k;
    long dim = 2 * k + 1;
    for (long c = 0; c < chains; c++) {
        const double *restrict p = x + c * dim;
        double *restrict g = gradient + c * dim;
        double tau = exp(p[2 * k]), total = 0.5 * p[2 * k] - 0.5 * tau, of_tau = 0.5 - 0.5 * tau;
        for (long i = 0; i < k; i++) beta[i] = tau * exp(p[k + i]) * p[i], slope[i] = 0.0;
        for (long r = 0; r < n; r++) {
            const double *restrict a = rows + r * k;
            double z = 0.0;
            for (long i = 0; i < k; i++) z += a[i] * beta[i];
            double small = exp(-fabs(z)), weight = (z > 0.0 ? small : 1.0) / (1.0 + small);
            total -= (z < 0.0 ? -z : 0.0) + log1p(small);
            for (long i = 0; i < k; i++) slope[i] += weight * a[i];
        }
        for (long i = 0; i < k; i++) {
            double local = exp(p[k + i]);
            total += 0.5 * p[k + i] - 0.5 * local - 0.5 * p[i] * p[i];
            g[i] = slope[i] * tau * local - p[i];
            g[k + i] = slope[i] * beta[i] + 0.5 - 0.5 * local;
            of_tau += slope[i] * beta[i];
        }
        g[2 * k] = of_tau;
        log_density[c] = total;
    }
    free(beta);
}
