/** How a command ends other than well: a sentence, its cure and the exit code. */
import { ApiError, UnreachableError } from '@headrace/api';

export const exitCodes = {
  ok: 0,
  failed: 1,
  usage: 2,
  notFound: 3,
  denied: 4,
  unreachable: 5,
  /** As shells tell of a command that Ctrl-C ended. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export class CommandError extends Error {
  readonly exitCode: ExitCode;
  readonly cure: string | undefined;

  constructor(message: string, options: { exitCode: ExitCode; cure?: string; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.name = 'CommandError';
    this.exitCode = options.exitCode;
    this.cure = options.cure;
  }
}

/** What to print and how to exit, for whatever a command threw. An error that is nobody's mistake comes back as it is. */
export function toCommandError(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  if (error instanceof UnreachableError) {
    return new CommandError(error.message, {
      exitCode: exitCodes.unreachable,
      cure: 'does it run, and does it answer? `headrace up` starts a server on this machine; its server.log says more',
      cause: error,
    });
  }
  // By name: its package is loaded for bundle commands only.
  if (error instanceof Error && error.name === 'BundleError')
    return new CommandError(error.message, { exitCode: exitCodes.usage, cause: error });
  if (!(error instanceof ApiError)) return undefined;
  const { exitCode, cure } = judge(error);
  return new CommandError(error.message, { exitCode, cause: error, ...(cure === undefined ? {} : { cure }) });
}

function judge(error: ApiError): { exitCode: ExitCode; cure?: string } {
  switch (error.code) {
    case 'UNAUTHENTICATED':
      return {
        exitCode: exitCodes.denied,
        cure: 'the token is unknown or has expired: check HEADRACE_TOKEN or DATABRICKS_TOKEN, or use --state-dir',
      };
    case 'PERMISSION_DENIED':
      return { exitCode: exitCodes.denied, cure: 'ask an administrator, or use a token of another user' };
    case 'RESOURCE_DOES_NOT_EXIST':
    case 'ENDPOINT_NOT_FOUND':
      return { exitCode: exitCodes.notFound };
    case 'TEMPORARILY_UNAVAILABLE':
      return { exitCode: exitCodes.unreachable, cure: 'the server is starting or stopping: wait a moment' };
    case 'INVALID_PARAMETER_VALUE':
      // Jobs, runs and clusters that are not there are answered so, because public clients expect it.
      return { exitCode: /does(n't| not) exist/.test(error.message) ? exitCodes.notFound : exitCodes.usage };
    case 'MALFORMED_REQUEST':
      return { exitCode: exitCodes.usage };
    default:
      return { exitCode: exitCodes.failed };
  }
}
