"""What `benchmarks/compression.py` is made of: variants, their files, their scores, and the page of results."""
