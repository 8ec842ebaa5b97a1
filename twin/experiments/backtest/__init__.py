"""`twin backtest`: what a calibrated model would have foretold, held against what came and against
naive forecasts."""
