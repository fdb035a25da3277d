"""The one of some names that a mistyped one was probably meant for: python3 tools/nearest.py MISTYPED NAME ...

Prints it as a question; nothing where none is near. Called by the Makefile; needs nothing but the standard library.
"""

import difflib
import sys


def nearest(mistyped, names):
    found = difflib.get_close_matches(mistyped.upper(), names, 1)
    return f"; did you mean {found[0]}?" if found else ""


if __name__ == "__main__":
    print(nearest(sys.argv[1], sys.argv[2:]))
