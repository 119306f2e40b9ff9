"""Prints what it is given. Stands in for work that this example is not about."""

import sys

print(*sys.argv[1:])
