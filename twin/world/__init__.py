"""The World that mechanisms share: tables of columns, metrics and their board, parameters, the
base of a mechanism, checkpoints."""
