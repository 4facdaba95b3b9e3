"""The pictures of the report: charts, and how they are drawn as SVG and as PNG.

Must not know the page that shows them.
"""
