"""The process that runs a SQL warehouse's statements for one principal: it asks the server for them, one long question after
another, runs each on a thread with a job tag of its own, and brings the results. It listens to nobody."""
