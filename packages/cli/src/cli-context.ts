/** Everything a command touches of the world; main.ts makes the real one, tests another. */
import type { LineEditor } from './commands/sql/interactive.ts';
import type { Settings } from './config.ts';

export interface Output {
  write(text: string): void;
  readonly isTty: boolean;
  /** Of a terminal, as wide as it is now. */
  readonly columns?: number | undefined;
}

export interface CliContext {
  readonly settings: Settings;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly clock: Clock;
  readonly fetch: typeof fetch;
  /** Ends waiting: aborted by Ctrl-C or a request to terminate; its reason is the signal's name. */
  readonly interrupted: AbortSignal;
  /** All of standard input. */
  readonly readInput: () => Promise<Buffer>;
  readonly isInputTty: boolean;
  /** Asks a person yes or no; undefined where there is nobody to ask. */
  readonly confirm: ((question: string) => Promise<boolean>) | undefined;
  /** Asks a person for a line; undefined where there is nobody to ask. */
  readonly ask?: ((question: string) => Promise<string>) | undefined;
  /** To type in, with a file that keeps what was typed; undefined where there is nobody to type. */
  readonly openLineEditor?: ((historyFile: string) => LineEditor) | undefined;
  /** Shows a page in the person's browser; false where nothing opens pages, undefined where nobody looks. */
  readonly openPage?: ((url: string) => Promise<boolean>) | undefined;
  /** What Node is called with to become the server. */
  readonly serverCommand: readonly string[];
  /** The folder that the command was called in. */
  readonly folder: string;
}

export interface Clock {
  nowMs(): number;
  /** Ends early, without an error, when the signal aborts. */
  sleep(elapsedMs: number, signal?: AbortSignal): Promise<void>;
}
