"""The parts of ``benchmarks/convert.py``: what is converted, by whom, and how the results are judged and timed."""
