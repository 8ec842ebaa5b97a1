"""Where tasks run: local processes or a Dask cluster, and the store that holds what they made."""
