/** What a state allows: one table that server, CLI and UI ask. */
import type { RunPhase } from './state.ts';

type PhaseKind = RunPhase['kind'];

function allowedIn(...states: readonly PhaseKind[]) {
  return Object.assign((phase: { readonly kind: PhaseKind }): boolean => states.includes(phase.kind), {
    states,
  });
}

export const runCan = {
  cancel: allowedIn('queued', 'running', 'terminating'),
  delete: allowedIn('ended'),
} as const;
