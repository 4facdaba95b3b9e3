"""The sections of the report, found by listing this folder: a module and a template (``.html.j2``) of the same name.

A section's module declares:

- ``TITLE``: its name in the navigation,
- ``ORDER``: a number; sections with smaller ones stand above it,
- ``build(context)``: writes the section's figure files and returns the variables of its template; None if the results
  give it nothing to say, and then the page does not mention it.

The template holds what stands within the section. Besides its variables it has the `results`, the `looks` of samplers,
the `slugs` of targets, ``draw(chart)``, ``swatch(look)``, ``link(cell, text)``, ``settings(cell)`` and the filters of
`mcmc_bench.report.templating`. Rules of style that depend on the results go into a variable ``style`` that it sets.
Sections read results only. They must not know each other, nor how results are made.
"""
