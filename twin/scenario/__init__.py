"""From YAML to checked values: reading, checking, describing and resolving scenarios, and changes
given from outside."""
