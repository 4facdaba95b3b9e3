"""The command line: one file for each command, found by listing this folder.

A file that defines `command` is a command of the file's name. It reads its options, calls the code that does the work, and
prints the outcome. Must not compute anything itself.
"""
