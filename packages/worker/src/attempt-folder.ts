/**
 * The attempt's folder: written before the host is told of it, read after the end. Synchronous on purpose: the
 * files are small and local, and an asynchronous open-read-close costs 0.3 ms of each step of a chain where this
 * costs 0.05 ms. What a task left behind is judged, never trusted.
 */
import fs from 'node:fs';
import path from 'node:path';
import { failureCodes, type JsonValue } from '@headrace/core';
import type { ClaimedAttempt } from './ports.ts';
import { type AttemptDocument, protocolVersion, type ResultDocument } from './protocol.ts';

/** A result holds an exit value of at most 1 MiB and a traceback. */
const resultBytesMax = 8 * 1024 * 1024;
/** 250 task values of 48 KiB, twice: far beyond what the runtime lets a task write. */
const messagesBytesMax = 24 * 1024 * 1024;

export interface AttemptFiles {
  readonly result: ResultDocument | null;
  readonly taskValues: Readonly<Record<string, JsonValue>>;
}

export function attemptFolder(
  dataRoot: string,
  attempt: Pick<ClaimedAttempt, 'runId' | 'attemptId'>,
): string {
  return path.join(dataRoot, 'attempts', String(attempt.runId), String(attempt.attemptId));
}

/** Those that the host watches. */
export function hostLimitsOf({ limits }: Pick<AttemptDocument, 'limits'>) {
  const { log_bytes_max, memory_bytes_max, disk_bytes_max, cpu_weight } = limits;
  return {
    log_bytes_max,
    ...(memory_bytes_max === undefined ? {} : { memory_bytes_max }),
    ...(disk_bytes_max === undefined ? {} : { disk_bytes_max }),
    ...(cpu_weight === undefined ? {} : { cpu_weight }),
  };
}

/** Makes the folder as if for the first time: an attempt that was lost before user code comes back under its id. */
export function writeAttemptFolder(folder: string, document: AttemptDocument): void {
  const isNew = fs.mkdirSync(folder, { recursive: true, mode: 0o755 }) !== undefined;
  if (!isNew) {
    for (const name of ['result.json', 'messages.jsonl', 'notebook.json', 'output.log']) {
      removeFile(path.join(folder, name));
    }
  }
  // It holds a token.
  fs.writeFileSync(path.join(folder, 'attempt.json'), JSON.stringify(document), { mode: 0o600 });
}

/** A folder under the name of a file of ours stays: nothing reads it, and the host says that it cannot write there. */
function removeFile(file: string): void {
  try {
    fs.rmSync(file, { force: true });
  } catch (error) {
    if (!isRecord(error) || error.code !== 'ERR_FS_EISDIR') throw error;
  }
}

export function readAttemptFiles(folder: string): AttemptFiles {
  return {
    result: readResult(path.join(folder, 'result.json')),
    taskValues: readTaskValues(path.join(folder, 'messages.jsonl')),
  };
}

function readResult(file: string): ResultDocument | null {
  const value = parseJson(readBounded(file, resultBytesMax));
  if (!isRecord(value) || value.version !== protocolVersion) return null;
  const { state, failure, exit_value } = value;
  if (state !== 'succeeded' && state !== 'failed') return null;
  return {
    version: protocolVersion,
    state,
    ...(isResultFailure(failure) ? { failure } : {}),
    ...(typeof exit_value === 'string' ? { exit_value } : {}),
  };
}

function isResultFailure(value: unknown): value is NonNullable<ResultDocument['failure']> {
  if (!isRecord(value) || typeof value.message !== 'string') return false;
  const codes: readonly unknown[] = failureCodes;
  return codes.includes(value.code) && (value.trace === null || typeof value.trace === 'string');
}

function readTaskValues(file: string): Record<string, JsonValue> {
  const taskValues: Record<string, JsonValue> = {};
  for (const line of (readBounded(file, messagesBytesMax) ?? '').split('\n')) {
    const message = parseJson(line);
    if (!isRecord(message) || message.kind !== 'task_value' || typeof message.name !== 'string') continue;
    // Parsed from JSON, so it is JSON.
    taskValues[message.name] = (message.value ?? null) as JsonValue;
  }
  return taskValues;
}

/** Null also for what is no file of ours to read: a folder or a pipe under its name, or a file made unreadable. */
function readBounded(file: string, bytesMax: number): string | null {
  let descriptor: number;
  try {
    // A pipe would otherwise hold up the whole worker until somebody writes to it.
    descriptor = fs.openSync(file, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK);
  } catch (error) {
    if (isRecord(error) && ['ENOENT', 'EACCES', 'ELOOP'].includes(String(error.code))) return null;
    throw new Error(`cannot read ${file}`, { cause: error });
  }
  try {
    const stat = fs.fstatSync(descriptor);
    if (!stat.isFile() || stat.size > bytesMax) return null;
    return fs.readFileSync(descriptor, 'utf8');
  } finally {
    fs.closeSync(descriptor);
  }
}

function parseJson(text: string | null): unknown {
  if (text === null || text === '') return null;
  try {
    return JSON.parse(text);
  } catch {
    // A half-written last line of a process that was killed.
    return null;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
