"""dbt tasks: dbt's own commands in the task's process, on a copy of the project, with a profile that is made for it.

project folder ──(project)──► copy + profile ──(run)──► dbt, command after command ──(results)──► artifacts, per node
"""
