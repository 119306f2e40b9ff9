"""A day of flights out of New York, from landing files to two tables that answer questions."""
