"""Examples made by hypothesis."""
