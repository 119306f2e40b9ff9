/**
 * Follows this worker's Pods: one list, then a watch from there on, and a list anew where the watch cannot go on. It tells
 * of what it reads and of nothing else: while the API is away, nobody hears that a Pod is gone.
 */
import type { V1Pod } from '@kubernetes/client-node';
import { waitBackingOff, waitMs } from '../../wait.ts';
import type { PodApi, PodEvent } from './pod-api.ts';

/** A watch that ends at once, each time, must not become a loop without a pause. */
const rewatchMs = 200;

/** `null`: it is gone, as the API itself says. */
export type PodListener = (pod: V1Pod | null) => void;

export interface PodIdentity {
  readonly name: string;
  readonly uid: string | null;
}

export interface PodTracker {
  /** Until the returned function is called. The uid tells Pods of one name apart; null: the one of that name. */
  follow(pod: PodIdentity, listener: PodListener): () => void;
}

interface Followed {
  readonly uid: string | null;
  readonly listener: PodListener;
}

export function createPodTracker(
  api: PodApi,
  { onTrouble }: { readonly onTrouble: (error: unknown) => void },
): PodTracker {
  const followed = new Map<string, Followed>();
  let running: AbortController | null = null;

  const tell = (name: string, pod: V1Pod | null) => {
    const entry = followed.get(name);
    if (entry === undefined) return;
    entry.listener(pod !== null && isPodOf(entry, pod) ? pod : null);
  };
  /** A list or an event may be old, and a Pod of that name another one: the object itself decides. */
  const confirmGone = async (name: string, signal: AbortSignal) => {
    for (let failures = 1; followed.has(name) && !signal.aborted; failures += 1) {
      try {
        return tell(name, await api.read(name, signal));
      } catch (error) {
        if (signal.aborted) return;
        onTrouble(error);
        await waitBackingOff(failures, signal);
      }
    }
  };
  const onEvent = (signal: AbortSignal) => (event: PodEvent) => {
    const name = event.pod.metadata?.name ?? '';
    if (event.type === 'DELETED') void confirmGone(name, signal);
    else tell(name, event.pod);
  };
  const synchronize = async (signal: AbortSignal) => {
    const { pods, resourceVersion } = await api.list(signal);
    const byName = new Map(pods.map((pod) => [pod.metadata?.name ?? '', pod]));
    for (const name of [...followed.keys()]) {
      const pod = byName.get(name);
      if (pod === undefined) void confirmGone(name, signal);
      else tell(name, pod);
    }
    return resourceVersion;
  };
  const run = async (signal: AbortSignal) => {
    let version: string | null = null;
    let failures = 0;
    while (!signal.aborted) {
      try {
        version ??= await synchronize(signal);
        version = await api.watch(version, { signal, onEvent: onEvent(signal) });
        failures = 0;
        await waitMs(rewatchMs, signal);
      } catch (error) {
        if (signal.aborted) return;
        failures += 1;
        onTrouble(error);
        // What came to pass meanwhile may be older than what the next watch begins with.
        version = null;
        await waitBackingOff(failures, signal);
      }
    }
  };

  return {
    follow({ name, uid }, listener) {
      followed.set(name, { uid, listener });
      if (running === null) {
        running = new AbortController();
        void run(running.signal);
      } else {
        // The list was before it.
        void confirmGone(name, running.signal);
      }
      return () => {
        if (followed.get(name)?.listener === listener) followed.delete(name);
        if (followed.size > 0) return;
        running?.abort();
        running = null;
      };
    },
  };
}

/** Names come again, a uid does not. */
export function isPodOf({ uid }: Pick<PodIdentity, 'uid'>, { metadata }: V1Pod): boolean {
  return uid === null || metadata?.uid === uid;
}
