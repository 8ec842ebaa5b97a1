"""`twin sync`: newer days of a platform bring its calibrated model up to date, and an alarm says when
they leave what it foretold."""
