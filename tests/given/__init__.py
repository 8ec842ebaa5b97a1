"""What tests of several folders start from: worlds of one mechanism, files, readings."""
