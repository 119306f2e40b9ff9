/** The log of a worker on its own: one JSON object a line, on standard error, with the levels of the server's log. */
import type { WorkerLog } from '../log.ts';

const levels = { debug: 20, info: 30, warn: 40, error: 50 } as const;
type Level = keyof typeof levels;

export function createJsonLog(options: {
  readonly write: (line: string) => void;
  readonly clock: { nowMs(): number };
  readonly least: Level;
}): WorkerLog {
  const writer = (level: Level) => (fields: Readonly<Record<string, unknown>>, message: string) => {
    if (levels[level] < levels[options.least]) return;
    const { err, ...rest } = fields;
    const error = err === undefined ? {} : { err: describeError(err) };
    options.write(
      `${JSON.stringify({ level: levels[level], time: options.clock.nowMs(), ...rest, ...error, msg: message })}\n`,
    );
  };
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}

function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: String(error) };
  return { type: error.name, message: error.message, stack: error.stack };
}
