/**
 * Tells listeners in this process that a run has changed, after the change is committed. It only wakes: a listener
 * that missed a note finds the truth in the database.
 */
export interface RunEventBus {
  publish(runId: number): void;
  /** Returns the function that ends the subscription. */
  subscribe(runId: number, listener: () => void): () => void;
  /** Of all runs: for whoever passes the notes on. */
  subscribeAll(listener: (runId: number) => void): () => void;
}

export function createRunEventBus(): RunEventBus {
  const listenersByRun = new Map<number, Set<() => void>>();
  const listenersOfAll = new Set<(runId: number) => void>();
  return {
    publish(runId) {
      for (const listener of [...(listenersByRun.get(runId) ?? [])]) listener();
      for (const listener of listenersOfAll) listener(runId);
    },
    subscribe(runId, listener) {
      const listeners = listenersByRun.get(runId) ?? new Set();
      listenersByRun.set(runId, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && listenersByRun.get(runId) === listeners) listenersByRun.delete(runId);
      };
    },
    subscribeAll(listener) {
      listenersOfAll.add(listener);
      return () => listenersOfAll.delete(listener);
    },
  };
}
