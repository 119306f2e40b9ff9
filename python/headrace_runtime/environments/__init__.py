"""Python environments of tasks: what was asked for, the folder that has it, and how a process comes to see it.

requested ──(key)──► found in the cache ──► seen by the process
              └────► built aside, renamed ──┘
"""
