"""One file per sampler: its kernel and its declaration, nothing else. There is no list to edit."""
