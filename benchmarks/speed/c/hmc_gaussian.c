/* HMC on a Gaussian with a dense precision matrix, unit mass, twice: one chain at a time, and the floor: 16 chains in
   lock-step with one matrix product a leapfrog step. The log density is computed at the ends only. `precision` is
   (dim, dim), symmetric; `sums` is (2,): Σ x² over coordinates and transitions, Σ acceptance. */
#include <stdlib.h>

#include "random.h"

typedef void (*Gemm)(char *, char *, int *, int *, int *, double *, double *, int *, double *, int *, double *,
                     double *, int *);

static double dot(const double *restrict a, const double *restrict b, long n) {
    double total = 0.0;
    for (long i = 0; i < n; i++) total += a[i] * b[i];
    return total;
}

/* `block` chains in lock-step, position (chains, dim); `gemm` may be NULL if block is 1. */
void hmc(double *position, const double *precision, long chains, long block, long dim, long transitions,
         double step_size, long leapfrogs, long seed, Gemm gemm, double *sums) {
    Random random = seeded(seed);
    long size = block * dim;
    double *memory = malloc(5 * size * sizeof *memory), *force = memory, *y = memory + size, *p = memory + 2 * size,
           *new_force = memory + 3 * size;
    double *potential = malloc(3 * block * sizeof *potential), *kinetic = potential + block;
    double one = 1.0, zero = 0.0;
    int n_dim = dim, n_block = block;

#define FORCE(X, F) /* F = Λ X for every chain */                                                                  \
    do {                                                                                                           \
        if (gemm)                                                                                                  \
            gemm("N", "N", &n_dim, &n_block, &n_dim, &one, (double *)precision, &n_dim, X, &n_dim, &zero, F, &n_dim); \
        else                                                                                                       \
            for (long i = 0; i < dim; i++) (F)[i] = dot(precision + i * dim, X, dim);                              \
    } while (0)

    for (long first = 0; first < chains; first += block) {
        double *x = position + first * dim;
        FORCE(x, force);
        for (long c = 0; c < block; c++) potential[c] = 0.5 * dot(x + c * dim, force + c * dim, dim);
        for (long n = 0; n < transitions; n++) {
            for (long j = 0; j < size; j++) p[j] = normal(&random);
            for (long c = 0; c < block; c++) kinetic[c] = 0.5 * dot(p + c * dim, p + c * dim, dim);
            for (long j = 0; j < size; j++) {
                p[j] -= 0.5 * step_size * force[j];
                y[j] = x[j] + step_size * p[j];
            }
            for (long l = 1; l < leapfrogs; l++) {
                FORCE(y, new_force);
                for (long j = 0; j < size; j++) {
                    p[j] -= step_size * new_force[j];
                    y[j] += step_size * p[j];
                }
            }
            FORCE(y, new_force);
            for (long j = 0; j < size; j++) p[j] -= 0.5 * step_size * new_force[j];
            for (long c = 0; c < block; c++) {
                double *yc = y + c * dim, *pc = p + c * dim, *fc = new_force + c * dim;
                double proposed = 0.5 * dot(yc, fc, dim);
                double ratio = potential[c] + kinetic[c] - proposed - 0.5 * dot(pc, pc, dim);
                double acceptance = exp(ratio < 0.0 ? ratio : 0.0);
                if (uniform(&random) < acceptance) {
                    for (long i = 0; i < dim; i++) x[c * dim + i] = yc[i], force[c * dim + i] = fc[i];
                    potential[c] = proposed;
                }
                sums[1] += acceptance;
            }
            sums[0] += dot(x, x, size);
        }
    }
    free(memory);
    free(potential);
}
