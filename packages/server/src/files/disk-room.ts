/** The last of a disk is left to the database and to runs that go on: an upload is refused before it is gone. */
import fs from 'node:fs/promises';
import { ApiError } from '@headrace/api';

/** Enough for the write-ahead log of the database and the logs of runs until somebody makes room. */
const reserveBytesMin = 1024 ** 3;
const reserveShare = 0.02;
/** A small disk is somebody's choice, and would take nothing at all. */
const reserveShareMax = 0.1;
/** Between two looks: far less than the reserve, for several uploads at once. */
export const lookEveryBytes = 64 * 1024 ** 2;

export async function requireRoom(folder: string): Promise<void> {
  const { bavail, blocks, bsize } = await fs.statfs(folder);
  const size = blocks * bsize;
  const reserve = Math.min(Math.max(reserveBytesMin, size * reserveShare), size * reserveShareMax);
  if (bavail * bsize >= reserve) return;
  const mebibytes = Math.ceil(reserve / 1024 ** 2);
  const text = `the server's disk is full but for its reserve of ${mebibytes} MiB: nothing more was written`;
  throw new ApiError('RESOURCE_LIMIT_EXCEEDED', text);
}
