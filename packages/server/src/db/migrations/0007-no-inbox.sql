-- News of a run is saved with what follows from it, or whoever brings it hears that it was not: a report that only lay
-- here would have counted as heard although nothing had come of it.
drop table inbox;
