/**
 * What a backup is: a folder (or a tar archive of it), readable by its owner only.
 *
 *   backup.json           this manifest, written last: without it a backup is not whole
 *   tables/<name>.gz      each table as COPY writes it, all of one snapshot
 *   secrets.key           the key that seals secrets, only when it was asked for
 *   files/…               the data root: workspace, volumes, managed tables, logs and results of attempts
 */
import { z } from 'zod';

export const Manifest = z.looseObject({
  format: z.literal(1),
  headrace_version: z.string(),
  made_at: z.string(),
  /** Number of the last migration that the tables know. */
  schema: z.int().min(1),
  /** The same worker takes its attempts back, or proves that they died. */
  worker_id: z.string().nullable(),
  /** Where tables' locations point to; they are moved with the folder. */
  data_root: z.string(),
  /** In an order in which each table comes after those that it refers to. */
  tables: z.array(z.looseObject({ name: z.string(), columns: z.array(z.string()), rows: z.int() })),
  sequences: z.array(z.looseObject({ name: z.string(), last_value: z.string(), is_called: z.boolean() })),
  files: z.looseObject({ count: z.int(), bytes: z.int(), missed: z.array(z.string()) }),
  /** Blobs that lie in a bucket are not part of a backup: the bucket keeps them. */
  has_bucket: z.boolean(),
  /** Missing in backups of releases that kept none. */
  secrets: z
    .looseObject({ count: z.int(), fingerprint: z.string().nullable(), has_key: z.boolean() })
    .optional(),
});
export type Manifest = z.output<typeof Manifest>;

export const manifestName = 'backup.json';
export const tablesFolder = 'tables';
export const filesFolder = 'files';

/** Held by a backup while it copies: runs are not purged meanwhile. */
export const backupLockKey = 7_462_391;
