/* Log density and gradient of logistic regression with a N(0, I) prior, chain by chain: plain loops over the rows,
   which carry the sign of their label. rows (n, dim), x and gradient (chains, dim). */
#include <math.h>

void logistic(const double *x, const double *rows, long chains, long n, long dim, double *log_density,
              double *gradient) {
    for (long c = 0; c < chains; c++) {
        const double *restrict b = x + c * dim;
        double *restrict g = gradient + c * dim, total = 0.0;
        for (long i = 0; i < dim; i++) {
            g[i] = -b[i];
            total -= 0.5 * b[i] * b[i];
        }
        for (long r = 0; r < n; r++) {
            const double *restrict row = rows + r * dim;
            double z = 0.0;
            for (long i = 0; i < dim; i++) z += row[i] * b[i];
            double small = exp(-fabs(z));
            total += (z < 0.0 ? z : 0.0) - log1p(small);
            double weight = (z > 0.0 ? small : 1.0) / (1.0 + small);
            for (long i = 0; i < dim; i++) g[i] += weight * row[i];
        }
        log_density[c] = total;
    }
}
