/* Random numbers of the floors: xoshiro256++ (Blackman and Vigna 2021, doi 10.1145/3460772) and standard normals by
   the ziggurat of 256 layers (Marsaglia and Tsang 2000, doi 10.18637/jss.v005.i08; layout of Doornik 2005). */
#include <math.h>
#include <stdint.h>

typedef struct { uint64_t s[4]; } Random;

static inline uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

static inline uint64_t next_bits(Random *r) {
    uint64_t *s = r->s, result = rotate(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0]; s[3] ^= s[1]; s[1] ^= s[2]; s[0] ^= s[3]; s[2] ^= t; s[3] = rotate(s[3], 45);
    return result;
}

/* On [0, 1). */
static inline double uniform(Random *r) { return (next_bits(r) >> 11) * 0x1.0p-53; }

#define LAYERS 256
#define TAIL 3.6541528853610088
#define AREA 0.00492867323399
static double edge[LAYERS + 1], height[LAYERS + 1];

static Random seeded(uint64_t seed) {
    Random r;
    for (int i = 0; i < 4; i++) {  /* splitmix64, as the authors of xoshiro ask */
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        r.s[i] = z ^ (z >> 31);
    }
    edge[0] = AREA / exp(-0.5 * TAIL * TAIL);
    edge[1] = TAIL;
    for (int i = 2; i < LAYERS; i++)
        edge[i] = sqrt(-2.0 * log(AREA / edge[i - 1] + exp(-0.5 * edge[i - 1] * edge[i - 1])));
    edge[LAYERS] = 0.0;
    for (int i = 0; i <= LAYERS; i++) height[i] = exp(-0.5 * edge[i] * edge[i]);
    return r;
}

static __attribute__((noinline)) double normal_outside(Random *r, int layer, double z);

static inline double normal(Random *r) {
    uint64_t bits = next_bits(r);
    int layer = bits & (LAYERS - 1);
    double z = ((int64_t)bits >> 11) * 0x1.0p-52 * edge[layer];  /* the layer's bits are not among these */
    if (__builtin_expect(fabs(z) < edge[layer + 1], 1)) return z;
    Random copy = *r; /* whose address is taken, so that the state itself can stay in registers */
    z = normal_outside(&copy, layer, z);
    *r = copy;
    return z;
}

static double normal_outside(Random *r, int layer, double z) {
    if (layer == 0) {
        double x, y;
        do {
            x = -log(1.0 - uniform(r)) / TAIL;
            y = -log(1.0 - uniform(r));
        } while (2.0 * y < x * x);
        return z < 0.0 ? -(TAIL + x) : TAIL + x;
    }
    double y = height[layer] + uniform(r) * (height[layer + 1] - height[layer]);
    return y < exp(-0.5 * z * z) ? z : normal(r);
}
