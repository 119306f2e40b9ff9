"""Dough that rests: far too long the first time, so that the attempt is stopped at its limit."""

import sys
import time

execution = int(sys.argv[1])
if execution == 1:
    print("resting for ten minutes", flush=True)
    time.sleep(600)
print(f"rested, execution {execution}")
