"""The recipes that are shipped: TOML files, read by `edge_rec.compress.recipe`."""

__all__: list[str] = []
