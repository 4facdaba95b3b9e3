"""A counted target as a function that JAX can differentiate: one call of the target gives log density and gradient.

The target stays what it is, compiled by numba, and is called back, so that what is compared is the algorithm and its count;
the seconds are those of the callback too. Must not know any sampler.
"""

import numpy as np


def log_density_of(target):
    """A JAX function of one point (dim,); every evaluation is counted by `target`, value and gradient as one."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    shapes = (jax.ShapeDtypeStruct((), jnp.float64), jax.ShapeDtypeStruct((target.dim,), jnp.float64))

    def evaluate(x):
        value, gradient = target.log_density_and_gradient(np.asarray(x, dtype=np.float64)[None])
        return np.asarray(value[0]), np.asarray(gradient[0])

    @jax.custom_vjp
    def log_density(x):
        return jax.pure_callback(evaluate, shapes, x, vmap_method="sequential")[0]

    def forward(x):
        value, gradient = jax.pure_callback(evaluate, shapes, x, vmap_method="sequential")
        return value, gradient

    log_density.defvjp(forward, lambda gradient, cotangent: (cotangent * gradient,))
    return log_density


def compiled(function, *examples):
    """`function`, compiled for arguments like `examples` (arrays, or what `jax.eval_shape` gives), without a call."""
    import jax

    return jax.jit(function).lower(*examples).compile()


def run_chains(kernel, target, generator, start, draws):
    """Positions (draws, chain, dim) of a BlackJAX kernel with fixed settings, chain by chain from `start` (chain, dim)."""
    import jax
    import jax.numpy as jnp

    keys = jax.random.split(jax.random.key(int(generator.integers(2**31))), len(start))

    def step(state, key):
        state, _ = kernel.step(key, state)
        return state, state.position

    def one_chain(key, position):
        return jax.lax.scan(step, kernel.init(position), jax.random.split(key, draws))[1]

    one_chain = compiled(one_chain, keys[0], jnp.asarray(start[0]))
    target.ends("compilation")
    chains = [np.asarray(one_chain(key, jnp.asarray(position))) for key, position in zip(keys, start, strict=True)]
    return np.stack(chains, axis=1)
