// What every set-up step needs: progress lines, stamps, child processes, failures that name their cure.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

// Part of every stamp: raise it when a step makes something else from the same inputs.
const SETUP_VERSION = 1;
// The end of a failed child's output is where the reason is; more would hide it.
const FAILURE_LINES_MAX = 25;

export const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
export const runtimeDir = join(root, '.runtime');

/** The caller's machine lacks something: `cause` says what happened, `cure` what to do next. */
export class SetupFailure extends Error {
  constructor(cause, cure) {
    super(cause);
    this.cure = cure;
  }
}

const startedAtMs = Date.now();

export function say(line) {
  process.stdout.write(`[${((Date.now() - startedAtMs) / 1000).toFixed(1).padStart(6)} s] ${line}\n`);
}

export function warn(line) {
  process.stderr.write(
    `[${((Date.now() - startedAtMs) / 1000).toFixed(1).padStart(6)} s] warning: ${line}\n`,
  );
}

export function sha256(...parts) {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part).update('\0');
  return hash.digest('hex');
}

export function sha256OfFile(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

/** Runs `work` unless the stamp says that it was done from the same inputs and its `outputs` are still there. */
export async function step(title, { name, inputs, outputs }, work) {
  const stampPath = join(runtimeDir, 'stamps', name);
  const key = sha256(String(SETUP_VERSION), ...inputs);
  const isDone =
    existsSync(stampPath) &&
    readFileSync(stampPath, 'utf8') === key &&
    outputs.every((path) => existsSync(path));
  if (isDone) return;
  const beganAtMs = Date.now();
  say(`${title} …`);
  // What a failure leaves behind must not pass for what was there before.
  rmSync(stampPath, { force: true });
  await work();
  writeFileWhole(stampPath, key);
  say(`${title}: done in ${((Date.now() - beganAtMs) / 1000).toFixed(1)} s`);
}

/** A reader never sees half a file: written beside its place, then renamed. */
export function writeFileWhole(path, text) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, text);
  renameSync(temporary, path);
}

/** The environment of every child: without the setting that makes each Python compile its imports anew. */
export function childEnvironment(extra = {}) {
  const environment = { ...process.env, ...extra };
  delete environment.PYTHONDONTWRITEBYTECODE;
  delete environment.PYTHONHOME;
  delete environment.PYTHONPATH;
  return environment;
}

/** Runs a command to its end and returns { ok, output }; the reader decides what a failure means. */
export function run(command, args, { cwd = root, env = {}, timeoutMs = 1_800_000 } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd,
      env: childEnvironment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let output = '';
    const append = (chunk) => {
      // 1 MB holds every log seen so far; a runaway child must not fill the memory.
      output = (output + chunk).slice(-1_000_000);
    };
    child.stdout.on('data', append);
    child.stderr.on('data', append);
    child.on('error', (error) => {
      clearTimeout(timer);
      resolve({ ok: false, output: String(error) });
    });
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ ok: code === 0, output });
    });
  });
}

/** The same, for quick questions whose answer is needed at once. */
export function ask(command, args) {
  const answer = spawnSync(command, args, {
    cwd: root,
    env: childEnvironment(),
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { ok: answer.status === 0, output: `${answer.stdout ?? ''}${answer.stderr ?? ''}` };
}

export function lastLines(output) {
  return output.trimEnd().split('\n').slice(-FAILURE_LINES_MAX).join('\n');
}
