/**
 * After a restart: what the source says is ours, against what the hosts and their journals know. Every attempt of
 * a host gets an answer here, before anything new is dispatched.
 *
 *   host says   ours                        not ours (fenced off, or its claim was never committed)
 *   held        go (or drop, when stopping) drop
 *   started     supervise on                end it, say nothing
 *   ended       report                      ack
 *   unknown     dispatch, unless it ran     –
 *   host dead   the journal decides         –
 */

import type { HostPool } from './host-pool.ts';
import { ackOf, type Host } from './host-slot.ts';
import type { FoundHost, HostDeath } from './hosts/host-backend.ts';
import type { HostedAttempt } from './hosts/host-protocol.ts';
import type { ResumedAttempt } from './ports.ts';
import { createSupervised, resumeOnHost, type Supervised } from './supervise.ts';

type Known =
  | { readonly kind: 'alive'; readonly host: Host; readonly hosted: HostedAttempt }
  | { readonly kind: 'dead'; readonly death: HostDeath; readonly hosted: HostedAttempt };

export function resumeAttempts(options: {
  readonly resumed: readonly ResumedAttempt[];
  readonly found: readonly FoundHost[];
  readonly pool: HostPool;
}): readonly Supervised[] {
  const known = new Map<number, Known>();
  const dead = new Map<string, HostDeath>();
  const ours = new Set<number>(options.resumed.map(({ attemptId }) => attemptId));
  for (const host of options.found) {
    if (host.kind === 'dead') {
      dead.set(host.hostKey, host.death);
      for (const hosted of host.death.attempts)
        known.set(hosted.attempt_id, { kind: 'dead', death: host.death, hosted });
      continue;
    }
    const adopted = options.pool.adopt(host.connection);
    for (const hosted of host.connection.hello.attempts) {
      if (ours.has(hosted.attempt_id)) known.set(hosted.attempt_id, { kind: 'alive', host: adopted, hosted });
      else dismiss(adopted, hosted);
    }
  }
  return options.resumed.map((attempt) => {
    const supervised = createSupervised(attempt);
    place(supervised, attempt, known.get(attempt.attemptId), dead.get(attempt.cluster.hostKey));
    return supervised;
  });
}

function place(
  supervised: Supervised,
  attempt: ResumedAttempt,
  known: Known | undefined,
  death: HostDeath | undefined,
): void {
  if (attempt.state === 'running') supervised.phase = 'started';
  supervised.isStopRequested = attempt.stopReason !== null;
  if (known?.kind === 'alive') {
    resumeOnHost(supervised, known.host, known.hosted);
  } else if (known?.kind === 'dead') {
    if (supervised.phase === 'waiting') supervised.phase = 'going';
    supervised.events.push({ kind: 'host_died', hosted: known.hosted, message: known.death.message });
  } else if (attempt.state === 'running') {
    const message =
      death?.message ??
      'No host on this machine knows this task any more: the folder of the hosts was emptied or replaced while the task ran. A retry, or a repair of the run, begins on a new host.';
    supervised.events.push({ kind: 'host_died', hosted: null, message });
  }
  // Else it was claimed and never reached a host: it is dispatched like a new one.
  if (attempt.stopReason !== null) supervised.events.push({ kind: 'stop', reason: attempt.stopReason });
}

function dismiss(host: Host, hosted: HostedAttempt): void {
  const ref = { attempt_id: hosted.attempt_id, epoch: hosted.epoch };
  if (hosted.state === 'ended') return host.send(ackOf(hosted));
  const end = () =>
    host.send(hosted.state === 'held' ? { op: 'drop', ...ref } : { op: 'stop', ...ref, grace_ms: 0 });
  host.join(hosted.attempt_id, (event) => {
    // What was said into a broken connection was not heard.
    const isLeft = event.kind === 'resynced' && event.hosted !== null && event.hosted.end === undefined;
    if (isLeft) return end();
    if (!['ended', 'dropped', 'host_died', 'resynced'].includes(event.kind)) return;
    host.send(ackOf(hosted));
    host.leave(hosted.attempt_id);
  });
  end();
}
