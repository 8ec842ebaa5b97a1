"""Processes and servers of our own, without browsers and without anybody else's servers."""
