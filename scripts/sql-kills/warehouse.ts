/** The default warehouse of a server that is killed and started again under its clients. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from '@headrace/api';
import type { InstalledServer } from '../bench/installed-server.ts';

type StatementDocument = Awaited<ReturnType<Client['statementsGet']>>;

export interface Ended {
  readonly id: string;
  readonly state: string;
  readonly message: string;
  readonly rows: readonly (readonly (string | null)[])[];
  readonly columns: readonly string[];
}

/** A driver starts, and the statement waits its turn, on two cores that others use as well. */
const patienceMs = 240_000;
const lookEveryMs = 150;
/** Where the moment of a kill counts from what is seen. */
const lookCloselyMs = 10;

export class Warehouse {
  readonly #server: InstalledServer;
  #client: Client | null = null;

  constructor(server: InstalledServer) {
    this.#server = server;
  }

  async client(): Promise<Client> {
    this.#client ??= await this.#server.client();
    return this.#client;
  }

  /** The address and the token may be others from here on. */
  forgetClient(): void {
    this.#client = null;
  }

  async begin(statement: string): Promise<string> {
    const client = await this.client();
    return (await client.statementsExecute({ statement, wait_timeout: '0s' })).statement_id;
  }

  async look(id: string): Promise<StatementDocument> {
    return (await this.client()).statementsGet({ statement_id: id });
  }

  async whenRunning(id: string): Promise<void> {
    await this.#until(id, (state) => state !== 'PENDING', lookCloselyMs);
  }

  async whenEnded(id: string): Promise<Ended> {
    const found = await this.#until(id, (state) => state !== 'PENDING' && state !== 'RUNNING');
    return toEnded(id, found);
  }

  async run(statement: string): Promise<Ended> {
    return this.whenEnded(await this.begin(statement));
  }

  /** Its rows; one that fails is an error here. */
  async ask(statement: string): Promise<Ended> {
    const ended = await this.run(statement);
    if (ended.state !== 'SUCCEEDED') throw new Error(`${statement}: ${ended.state}: ${ended.message}`);
    return ended;
  }

  async #until(
    id: string,
    isReached: (state: string) => boolean,
    everyMs = lookEveryMs,
  ): Promise<StatementDocument> {
    const deadlineMs = performance.now() + patienceMs;
    for (;;) {
      const found = await this.look(id);
      if (isReached(found.status.state)) return found;
      if (performance.now() > deadlineMs)
        throw new Error(`statement ${id} is ${found.status.state} for ${patienceMs} ms`);
      await delay(everyMs);
    }
  }
}

function toEnded(id: string, { status, result, manifest }: StatementDocument): Ended {
  return {
    id,
    state: status.state,
    message: status.error?.message ?? '',
    rows: result?.data_array ?? [],
    columns: (manifest?.schema.columns ?? []).map(({ name, type_text }) => `${name} ${type_text}`),
  };
}
