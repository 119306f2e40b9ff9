"""Notebooks: their source files, their cells, and running them in this process."""
