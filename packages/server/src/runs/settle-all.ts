/** For loops that move many runs: one that cannot be moved must not keep the others, or the loop, from going on. */

/** What the store holds of this run, or what is decided on it, breaks a rule of ours. It is logged where it is met. */
export class UnmovableRun extends Error {
  constructor(runId: number, cause: unknown) {
    super(`run ${runId} cannot be moved; the log says why`, { cause });
    this.name = 'UnmovableRun';
  }
}

/** Waits for all of them. False when there was a run that cannot be moved; any other failure is thrown. */
export async function settleAll(work: readonly Promise<unknown>[]): Promise<boolean> {
  const settled = await Promise.allSettled(work);
  const reasons = settled.flatMap((each): unknown[] => (each.status === 'rejected' ? [each.reason] : []));
  const failure = reasons.find((reason) => !(reason instanceof UnmovableRun));
  if (failure !== undefined) throw failure;
  return reasons.length === 0;
}
