"""The command line: one file for each command.

A command reads its options, calls what does the work, and says what came of it. Must not compute anything itself.
"""
