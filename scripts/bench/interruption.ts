/** What an interrupted benchmark must end before it does: one list for all of them, since the process ends once. */
const live = new Set<() => Promise<void>>();

/** Until the function that it returns is called. */
export function endWhenInterrupted(end: () => Promise<void>): () => void {
  live.add(end);
  return () => void live.delete(end);
}

const abandon = () => void Promise.allSettled([...live].map((end) => end())).then(() => process.exit(130));
process.once('SIGINT', abandon).once('SIGTERM', abandon);
// Nobody reads on: what was printed to has been closed.
process.stdout.once('error', abandon);
