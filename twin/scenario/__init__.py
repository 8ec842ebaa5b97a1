"""From YAML to checked values: reading, checking, describing and resolving scenarios, and policies
given to a running simulation."""
