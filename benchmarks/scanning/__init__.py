"""What `benchmarks/scan.py` is made of: cases, tables, contenders and their check, rounds, the page of results."""
