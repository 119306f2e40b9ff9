/** What every slice is given by `main.ts`. Slices take what they need from here and make none of it themselves. */
import type { Logger } from 'pino';
import type { BlobStore } from './blobs/blob-store.ts';
import type { Config } from './config.ts';
import type { Database } from './db/connect.ts';
import type { RunEventBus } from './event-bus.ts';
import type { IdSource } from './ids.ts';

export interface Clock {
  nowMs(): number;
}

export interface Services {
  readonly db: Database;
  readonly blobs: BlobStore;
  readonly ids: IdSource;
  readonly clock: Clock;
  readonly log: Logger;
  readonly config: Config;
  readonly events: RunEventBus;
}
