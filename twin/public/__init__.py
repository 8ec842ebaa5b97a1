"""What `import twin` offers: scenarios, runs and experiments from Python, to the bytes of the
command line."""
