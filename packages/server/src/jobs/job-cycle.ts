/** Jobs that run jobs: a job must not come to run itself. */

/** From each job to the jobs that its tasks run. */
export type JobEdges = ReadonlyMap<number, readonly number[]>;

/** The shortest way from a job back to itself, both ends included: `[11, 12, 11]`; null when there is none. */
export function findJobCycle(jobId: number, edges: JobEdges): number[] | null {
  const cameFrom = new Map<number, number>();
  // It grows while it is walked: the nearest jobs come first.
  const reached = new Set([jobId]);
  for (const from of reached) {
    for (const to of edges.get(from) ?? []) {
      if (to === jobId) return [...wayTo(from, cameFrom), jobId];
      if (reached.has(to)) continue;
      reached.add(to);
      cameFrom.set(to, from);
    }
  }
  return null;
}

function wayTo(jobId: number, cameFrom: ReadonlyMap<number, number>): number[] {
  const way = [jobId];
  let before = cameFrom.get(jobId);
  while (before !== undefined) {
    way.push(before);
    before = cameFrom.get(before);
  }
  return way.reverse();
}
