"""Finds what there is: targets, samplers and suites, with stored truths, costs and portraits.

Must not know how anything is run or judged, nor any particular target or sampler.
"""
