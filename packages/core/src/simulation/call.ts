/** A request to a server and its answer. Between machines either may be lost, and a request may arrive twice. */
import { type Owner, type Program, Ticket } from './kernel.ts';
import type { Scheduler } from './scheduler.ts';

export interface Line {
  readonly from: Owner;
  readonly to: Scheduler;
  /** Within one process nothing gets lost. */
  readonly isReliable: boolean;
  /** What may not be done twice, such as waiting for attempts, goes over one connection. */
  readonly mayDouble: boolean;
}

/** `broken`: whether it happened is unknown. */
export function* call<T>(line: Line, request: () => Program<T>): Program<T | 'broken'> {
  const { from, to } = line;
  const { kernel, random, faultRate } = to.world;
  yield null;
  const isLost = () => !line.isReliable && (to.world.isCutOff(from) || random.chance(faultRate));
  if (!to.isUp || isLost()) return 'broken';
  const reply = new Ticket<T | 'broken'>();
  to.calls.add(reply as Ticket<unknown>);
  kernel.spawn(to, answer(request, reply));
  if (line.mayDouble && !line.isReliable && random.chance(faultRate)) {
    kernel.spawn(to, late(random.below(5_000), request));
  }
  yield reply as Ticket<unknown>;
  to.calls.delete(reply as Ticket<unknown>);
  yield null;
  return isLost() || reply.value === undefined ? 'broken' : reply.value;
}

function* answer<T>(request: () => Program<T>, reply: Ticket<T | 'broken'>): Program {
  reply.settle(yield* request());
}

function* late<T>(delayMs: number, request: () => Program<T>): Program {
  yield delayMs;
  yield* request();
}
