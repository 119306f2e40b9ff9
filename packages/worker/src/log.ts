/** The part of a pino logger that the worker uses. */
type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void;

/** Whose line it is, under the names that the server's log uses. */
export function fieldsOf(attempt: {
  readonly runId: number;
  readonly taskKey: string;
  readonly attemptId: number;
}) {
  return { run_id: attempt.runId, task_key: attempt.taskKey, attempt: attempt.attemptId };
}

export interface WorkerLog {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}
