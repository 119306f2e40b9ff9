/** Runs statements in one session and shows what they give, or what is wrong with them. */
import type { Client } from '@headrace/api';
import type { CliContext } from '../../cli-context.ts';
import { toCommandError } from '../../command-error.ts';
import { note, print } from '../../output/print.ts';
import { styleText } from '../../output/style-text.ts';
import { formatResult, type SqlFormat } from './format-result.ts';
import {
  runStatement,
  type SqlParameter,
  type SqlResult,
  StatementError,
  type StatementPlace,
  tableRowsMax,
} from './run-statement.ts';

export interface SqlRunnerOptions {
  readonly place: StatementPlace;
  readonly format: SqlFormat;
  readonly parameters: readonly SqlParameter[];
  readonly serverUrl: string;
}

export class SqlRunner {
  readonly context: CliContext;
  readonly #client: Client;
  readonly #options: SqlRunnerOptions;

  constructor(context: CliContext, client: Client, options: SqlRunnerOptions) {
    this.context = context;
    this.#client = client;
    this.#options = options;
  }

  get serverUrl(): string {
    return this.#options.serverUrl;
  }

  /** Throws what went wrong. */
  async run(text: string, signal: AbortSignal): Promise<SqlResult> {
    const { place, format, parameters } = this.#options;
    const used = parameters.filter(({ name }) => new RegExp(`:${name}(?!\\w)`).test(text));
    const rowsMax = format === 'table' ? tableRowsMax : null;
    return runStatement(this.context, this.#client, {
      place,
      asked: { text, parameters: used, rowsMax },
      signal,
    });
  }

  /** In a terminal the statement's failure is told and not thrown: false. */
  async runAndShow(text: string, signal: AbortSignal): Promise<boolean> {
    try {
      this.show(await this.run(text, signal));
      return true;
    } catch (error) {
      const known = toCommandError(error);
      if (known === undefined) throw error;
      const label = styleText(this.context, this.context.stderr, 'error:', 'bad');
      note(this.context, `${label} ${known.message}${markPlace(error, text)}`);
      if (known.cure !== undefined) note(this.context, `  ${known.cure}`);
      return false;
    }
  }

  show(result: SqlResult): void {
    const { format } = this.#options;
    const { columns, rows, isTruncated, elapsedMs } = result;
    const { stdout } = this.context;
    const isShown = columns.length > 0 && (format !== 'table' || rows.length > 0);
    // A terminal that does not say how wide it is says 0.
    const charsMax = stdout.isTty && stdout.columns ? stdout.columns : undefined;
    if (isShown) print(this.context, formatResult(result, format, charsMax));
    if (format !== 'table') return;
    const seconds = `${(elapsedMs / 1000).toFixed(1)} s`;
    const count = isTruncated
      ? `the first ${rows.length} rows`
      : `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`;
    note(this.context, columns.length === 0 ? `done in ${seconds}` : `${count} in ${seconds}`);
  }
}

/** The line of the statement that the error is about, and a mark below the place. */
export function markPlace(error: unknown, text: string): string {
  if (!(error instanceof StatementError) || error.position === null) return '';
  const { line, column } = error.position;
  const shown = text.split('\n')[line - 1];
  if (shown === undefined) return '';
  const lead = shown.slice(0, column - 1).replaceAll(/[^\t]/g, ' ');
  return `\n  line ${line}:\n  ${shown}\n  ${lead}^`;
}
