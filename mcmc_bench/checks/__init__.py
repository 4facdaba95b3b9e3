"""Whether content is right: is a target the density that it says, is a sampler exact, is a truth true?

Must not know suites, nor how their results are stored or shown.
"""
