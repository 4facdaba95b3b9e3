"""The sections of the report, one module each.

A section reads results only, and must not know how they were made.
"""
