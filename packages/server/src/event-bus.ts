/**
 * Tells listeners in this process that a run has changed, after the change is committed. It only wakes: a listener
 * that missed a note finds the truth in the database.
 */
export interface RunChanged {
  readonly runId: number;
  readonly version: number;
}

export interface RunEventBus {
  publish(changed: RunChanged): void;
  /** Returns the function that ends the subscription. */
  subscribe(runId: number, listener: (changed: RunChanged) => void): () => void;
}

export function createRunEventBus(): RunEventBus {
  const listenersByRun = new Map<number, Set<(changed: RunChanged) => void>>();
  return {
    publish(changed) {
      for (const listener of [...(listenersByRun.get(changed.runId) ?? [])]) listener(changed);
    },
    subscribe(runId, listener) {
      const listeners = listenersByRun.get(runId) ?? new Set();
      listenersByRun.set(runId, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0 && listenersByRun.get(runId) === listeners) listenersByRun.delete(runId);
      };
    },
  };
}
