"""The published findings on the twin: one file each, with the rule of its verdict fixed
beforehand."""
