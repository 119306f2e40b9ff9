/** A server or worker as a process that is started again when it ends, as a service manager does. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';

export interface SupervisedOptions {
  readonly name: string;
  readonly stateDir: string;
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What it logs once it is up. */
  readonly upMark: string;
  /** It ended, and nobody had asked it to. */
  readonly onSelfEnd: (end: SelfEnd) => void;
}

export interface SelfEnd {
  readonly what: string;
  /** It had come up before. */
  readonly wasUp: boolean;
}

const restartMs = 1_000;

export class Supervised {
  readonly name: string;
  readonly stateDir: string;
  readonly #options: SupervisedOptions;
  #child: ChildProcess | null = null;
  #timer: NodeJS.Timeout | undefined;
  #isWanted = false;

  constructor(options: SupervisedOptions) {
    this.name = options.name;
    this.stateDir = options.stateDir;
    this.#options = options;
    fs.mkdirSync(options.stateDir, { recursive: true, mode: 0o700 });
  }

  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  get logFile(): string {
    return path.join(this.stateDir, 'process.log');
  }

  start(): void {
    this.#isWanted = true;
    clearTimeout(this.#timer);
    if (this.#child === null) this.#spawn();
  }

  /** Resolves when it is gone; it stays away until it is started. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.#isWanted = false;
    clearTimeout(this.#timer);
    const child = this.#child;
    if (child === null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name);
  }

  #spawn(): void {
    const { program, environment, stateDir, onSelfEnd, name, upMark } = this.#options;
    const log = fs.openSync(this.logFile, 'a');
    const from = fs.fstatSync(log).size;
    const child = spawn(
      process.execPath,
      ['--conditions=source', '--disable-warning=ExperimentalWarning', program],
      {
        stdio: ['ignore', log, log],
        env: { PATH: process.env.PATH, HEADRACE_STATE_DIR: stateDir, ...environment },
      },
    );
    fs.closeSync(log);
    this.#child = child;
    child.once('exit', (code, signal) => {
      this.#child = null;
      if (!this.#isWanted) return;
      const said = fs.readFileSync(this.logFile).subarray(from).toString('utf8');
      onSelfEnd({
        what: `${name} (process ${child.pid}) ended by itself: ${signal ?? `code ${code}`}`,
        wasUp: said.includes(upMark),
      });
      this.#timer = setTimeout(() => this.#isWanted && this.#spawn(), restartMs);
    });
  }
}
