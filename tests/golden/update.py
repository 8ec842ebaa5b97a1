"""Write the golden readings again: `python -m tests.golden.update`. Say in the commit why they
changed."""

import json

from tests.golden.values import FILE, computed

if __name__ == "__main__":
    FILE.write_text(json.dumps(computed(), indent=1, sort_keys=True) + "\n")
    print(f"wrote {FILE}")
