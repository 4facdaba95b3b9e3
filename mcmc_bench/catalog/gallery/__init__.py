"""The gallery: a page with every target of the catalogue.

Knows the catalog and how targets are shown; the page's style and table are the report's. Must not know any particular
target.
"""

from mcmc_bench.catalog.gallery.page import write_gallery

__all__ = ["write_gallery"]
