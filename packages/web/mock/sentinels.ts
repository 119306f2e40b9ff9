/** Ids and names that make the fake answer as a server in trouble does, so that pages can be seen in trouble. */
export const sentinels = {
  /** Asking for this run is our bug. */
  runWithInternalError: 500,
  /** Starting this job is refused, with a reason. */
  jobThatRefuses: 429,
  /** Its log cannot be read. */
  taskRunWithoutLog: 503_004,
} as const;
