"""Parts of ``benchmarks/retriever.py``."""
