"""SQL tasks: the statements of a file or a saved query, one after another in the task's own session.

text ──(statements)──► statements ──(parameters)──► bound ──(run)──► notebook.json, the last rows as the task's output
"""
