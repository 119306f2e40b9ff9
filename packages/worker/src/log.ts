/** The part of a pino logger that the worker uses. */
type Write = (fields: Readonly<Record<string, unknown>>, message: string) => void;

export interface WorkerLog {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}
