"""The World that mechanisms meet in: tables of columns, metrics and their board, parameters, the
base of a mechanism, checkpoints."""
