/**
 * Proof that a worker and this server see one data root: each reads what the other wrote below it. Nothing is kept in
 * memory, so another server may check what this one asked for.
 *
 *   <data root>/workers/<challenge>.server   written here, read by the worker
 *   <data root>/workers/<challenge>.worker   written by the worker, read here
 */
import crypto from 'node:crypto';
import fs from 'node:fs/promises';
import path from 'node:path';
import { ApiError } from '@headrace/api';

const folderName = 'workers';
/** A worker answers within seconds; what is older was left behind. */
const challengeMs = 10 * 60_000;
/** Challenges that wait for an answer: more than all workers of an installation, started at once. */
const challengesMax = 1_000;
/** Of one answer; what is longer is not one of ours. */
const answerBytesMax = 200;

export interface Challenge {
  readonly challenge: string;
  readonly readFile: string;
  readonly writeFile: string;
}

export async function writeChallenge(dataRoot: string, nowMs: number): Promise<Challenge> {
  const folder = path.join(dataRoot, folderName);
  await fs.mkdir(folder, { recursive: true });
  if ((await removeOld(folder, nowMs)) >= challengesMax) {
    throw new ApiError('TEMPORARILY_UNAVAILABLE', 'too many workers are signing on at once; try again soon');
  }
  const challenge = crypto.randomBytes(16).toString('hex');
  await fs.writeFile(path.join(folder, `${challenge}.server`), crypto.randomBytes(24).toString('hex'));
  return {
    challenge,
    readFile: `${folderName}/${challenge}.server`,
    writeFile: `${folderName}/${challenge}.worker`,
  };
}

export interface Proof {
  readonly challenge: string;
  /** What the worker read of ours, and what it wrote for us. */
  readonly read: string;
  readonly written: string;
}

/** Why the proof fails, in words; null when it holds. A challenge is good for one answer. */
export async function findProofProblem(dataRoot: string, proof: Proof): Promise<string | null> {
  const file = (side: string) => path.join(dataRoot, folderName, `${proof.challenge}.${side}`);
  const [asked, answered] = await Promise.all([readAnswer(file('server')), readAnswer(file('worker'))]);
  await Promise.all([fs.rm(file('server'), { force: true }), fs.rm(file('worker'), { force: true })]);
  if (asked === null) return 'the challenge is unknown, too old, or was answered already';
  if (asked !== proof.read) return "the worker did not find the server's file below it";
  if (answered === null) return "the server did not find the worker's file below it";
  return answered === proof.written ? null : 'the server found something else than the worker wrote';
}

async function readAnswer(file: string): Promise<string | null> {
  try {
    const handle = await fs.open(
      file,
      fs.constants.O_RDONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK,
    );
    try {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(answerBytesMax), 0, answerBytesMax, 0);
      return buffer.toString('utf8', 0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch {
    // Not there, or not readable: either way the worker has proven nothing.
    return null;
  }
}

/** How many are left. */
async function removeOld(folder: string, nowMs: number): Promise<number> {
  const names = await fs.readdir(folder);
  const ages = await Promise.all(
    names.map(async (name) => {
      const file = path.join(folder, name);
      const stat = await fs.stat(file).catch(() => null);
      if (stat === null || Math.abs(nowMs - stat.mtimeMs) < challengeMs) return stat === null ? 0 : 1;
      await fs.rm(file, { force: true });
      return 0;
    }),
  );
  return ages.reduce<number>((sum, left) => sum + left, 0);
}
