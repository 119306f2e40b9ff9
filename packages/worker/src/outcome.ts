/**
 * How an attempt ended, in words that people understand. Facts: how the process ended (from the host), and what
 * the runtime inside it wrote last (`result.json`). Pure.
 */
import type { AttemptOutcome, Failure, JsonValue } from '@headrace/core';
import type { HostedEnd } from './hosts/host-protocol.ts';
import type { ResultDocument } from './protocol.ts';

export interface EndedFacts {
  readonly end: Pick<
    HostedEnd,
    'exit_code' | 'signal' | 'stopped' | 'driver_message' | 'limit_message' | 'memory_killed'
  >;
  readonly result: ResultDocument | null;
  readonly isStopRequested: boolean;
}

const signalWords: Readonly<Record<number, string>> = {
  4: 'an illegal instruction (SIGILL)',
  6: 'an abort (SIGABRT)',
  7: 'a bus error (SIGBUS)',
  8: 'an arithmetic error (SIGFPE)',
  11: 'a segmentation fault (SIGSEGV)',
};

export function outcomeOf(facts: EndedFacts): AttemptOutcome {
  const { end, result } = facts;
  // A task that finished well before the stop reached it has finished well: its effects are there.
  if (result?.state === 'succeeded' && end.exit_code === 0) return { kind: 'succeeded' };
  if (facts.isStopRequested && end.stopped) return { kind: 'stopped' };
  return { kind: 'failed', failure: failureOf(end, result) };
}

function failureOf(end: EndedFacts['end'], result: ResultDocument | null): Failure {
  const trace = result?.failure?.trace ?? null;
  if (end.limit_message !== undefined) {
    return { code: 'RUN_EXECUTION_ERROR', message: end.limit_message, trace };
  }
  if (end.driver_message !== undefined) {
    return { code: 'DRIVER_ERROR', message: end.driver_message, trace };
  }
  if (result?.state === 'failed' && result.failure !== undefined) {
    const { code, message } = result.failure;
    return { code, message, trace };
  }
  return { code: 'RUN_EXECUTION_ERROR', message: processMessage(end, result), trace };
}

function processMessage(end: EndedFacts['end'], result: ResultDocument | null): string {
  if (end.signal === 9) return killedMessage(end.memory_killed);
  if (end.signal === 15) return 'The Python process was ended from outside (SIGTERM).';
  if (end.signal !== null) {
    return `The Python process was ended by ${signalWords[end.signal] ?? `signal ${end.signal}`}, most likely in native code.`;
  }
  if (end.exit_code !== 0) return `The Python process exited with code ${end.exit_code}.`;
  if (result?.state === 'succeeded') return 'The Python process ended before it could be confirmed.';
  return 'The Python process ended without a result: it left through os._exit or was replaced by another program.';
}

/** A signal does not tell who sent it; memory is blamed where the kernel has counted such a kill. */
function killedMessage(isMemory: boolean | undefined): string {
  const what = 'The Python process was killed from outside (SIGKILL)';
  switch (isMemory) {
    case true:
      return `${what}, and the kernel killed for lack of memory at that time: let the task hold less, run fewer tasks at once, or use a larger machine.`;
    case false:
      return `${what}, and not by the kernel for lack of memory: look for a kill in the code of the task, or for who else ends processes on this machine.`;
    default:
      return `${what}: by another process, or by the kernel for lack of memory.`;
  }
}

export function exitValueOf(result: ResultDocument | null): string | null {
  const value: JsonValue | undefined = result?.exit_value;
  return typeof value === 'string' ? value : null;
}
