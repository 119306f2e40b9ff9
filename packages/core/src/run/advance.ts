/**
 * The heart: a run, what just happened and the time give the run as it is now, and what follows. Cannot wait, read
 * a clock or roll dice. Called again with no events it changes nothing.
 */
import { type AdvanceResult, Draft } from './draft.ts';
import type { RunEvent } from './events.ts';
import { plan } from './plan.ts';
import { record } from './record.ts';
import type { Run } from './state.ts';

export interface AdvanceContext {
  readonly nowMs: number;
  /** For attempts that this call makes. */
  readonly newId: () => number;
}

export function advance(run: Run, events: readonly RunEvent[], context: AdvanceContext): AdvanceResult {
  const draft = new Draft(run);
  for (const event of events) record(draft, event, context);
  plan(draft, context);
  return draft.finish();
}
