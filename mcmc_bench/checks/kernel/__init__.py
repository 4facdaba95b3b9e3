"""Is a kernel exact? Statistical tests of one sampler with one stated rate of false alarms.

Must not know any particular sampler.
"""
