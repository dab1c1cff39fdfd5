"""What benchmarks/request.py is made of: the ways to answer a request, turns among them, fresh processes."""
