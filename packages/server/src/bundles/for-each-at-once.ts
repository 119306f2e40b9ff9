/** So many files are read or written at the same time: it hides a bucket's latency, and leaves others their turn. */
const atOnceMax = 8;

export async function forEachAtOnce<T>(
  entries: readonly T[],
  work: (entry: T) => Promise<void>,
): Promise<void> {
  const waiting = entries.values();
  const lanes = Array.from({ length: Math.min(atOnceMax, entries.length) }, async () => {
    for (const entry of waiting) await work(entry);
  });
  // All have come to rest before anybody hears that one has failed.
  for (const lane of await Promise.allSettled(lanes)) if (lane.status === 'rejected') throw lane.reason;
}
