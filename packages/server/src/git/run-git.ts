/**
 * The system's git, shut off from everything but what it is told: no configuration of the machine or a user, no
 * hooks, no prompts, no transport but the allowed ones, no links. Its whole process group ends with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { GitProblem } from './git-problem.ts';
import type { GitProtocol } from './git-url.ts';

export interface GitRequest {
  readonly args: readonly string[];
  readonly cwd: string;
  /** Configuration that may hold secrets: it travels in the environment, never in the command line. */
  readonly config?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  /** For its standard input; nothing otherwise. */
  readonly input?: string;
  readonly timeoutMs: number;
  readonly outputBytesMax?: number;
  /** Asked every half second; a text ends git, and is the reason. */
  readonly watch?: () => Promise<string | null>;
}

export interface GitResult {
  readonly output: Buffer;
  readonly errors: string;
  readonly exitCode: number | null;
  /** Why we ended it; null when it ended by itself. */
  readonly endedBecause: string | null;
}

export interface Git {
  run(request: GitRequest): Promise<GitResult>;
  /** Ends all that run, and begins no more: who waits for one is told that the server stops. */
  stop(): void;
}

/** Each is a process or three; more would only be slower, all together. */
const gitsAtOnceMax = 8;

const outputBytesMaxDefault = 64 * 1024 ** 2;
const errorCharsMax = 16_384;
const watchEveryMs = 500;

/** Of the server's environment: where programs are, and how this machine reaches the world. */
const inherited = [
  'PATH',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'GIT_SSL_CAINFO',
  'GIT_SSL_CAPATH',
  'http_proxy',
  'https_proxy',
  'HTTPS_PROXY',
  'all_proxy',
  'ALL_PROXY',
  'no_proxy',
  'NO_PROXY',
];
/** Not HOME: ssh finds it by itself, and curl would take logins out of a .netrc there. */
const inheritedForSsh = ['SSH_AUTH_SOCK'];

export function createGit(options: {
  readonly protocols: readonly GitProtocol[];
  readonly environment: Readonly<Record<string, string | undefined>>;
}): Git {
  const { protocols } = options;
  const names = protocols.includes('ssh') ? [...inherited, ...inheritedForSsh] : inherited;
  const base = Object.fromEntries(
    names.flatMap((name) => {
      const value = options.environment[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
  const running = new Set<ChildProcess>();
  const waiting: (() => void)[] = [];
  let free = gitsAtOnceMax;
  let isStopped = false;

  async function runInTurn(request: GitRequest, environment: Record<string, string>): Promise<GitResult> {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      if (isStopped) throw stopping();
      const result = await runProcess(request, environment, running);
      if (isStopped) throw stopping();
      return result;
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free += 1;
    }
  }

  return {
    stop() {
      isStopped = true;
      for (const child of running) killGroup(child);
    },
    async run(request) {
      const environment = {
        HOME: '/nonexistent',
        ...base,
        ...request.environment,
        LC_ALL: 'C',
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_ATTR_NOSYSTEM: '1',
        GIT_TERMINAL_PROMPT: '0',
        GIT_ASKPASS: '/bin/false',
        SSH_ASKPASS: '/bin/false',
        GIT_ALLOW_PROTOCOL: protocols.join(':'),
        GIT_PROTOCOL_FROM_USER: '0',
        GIT_NO_REPLACE_OBJECTS: '1',
        GIT_NO_LAZY_FETCH: '1',
        GIT_SSH_COMMAND: 'ssh -oBatchMode=yes -oStrictHostKeyChecking=yes -oConnectTimeout=20',
        ...toConfigVariables({ ...fixedConfig, ...request.config }),
      };
      return runInTurn(request, environment);
    },
  };
}

function stopping(): GitProblem {
  return new GitProblem('stopping', 'the server stops; its next start goes on');
}

const fixedConfig: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.symlinks': 'false',
  'core.protectHFS': 'true',
  'core.protectNTFS': 'true',
  'core.attributesFile': '/dev/null',
  'core.autocrlf': 'false',
  'credential.helper': '',
  // To elsewhere, a redirect would take the request past the rules for addresses, and the token with it.
  'http.followRedirects': 'false',
  'http.lowSpeedLimit': '1000',
  'http.lowSpeedTime': '60',
  'submodule.recurse': 'false',
  'fetch.recurseSubmodules': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'advice.detachedHead': 'false',
};

function toConfigVariables(config: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(config);
  return Object.fromEntries([
    ['GIT_CONFIG_COUNT', String(entries.length)],
    ...entries.flatMap(([key, value], index) => [
      [`GIT_CONFIG_KEY_${index}`, key],
      [`GIT_CONFIG_VALUE_${index}`, value],
    ]),
  ]);
}

async function runProcess(
  request: GitRequest,
  environment: Record<string, string>,
  running: Set<ChildProcess>,
): Promise<GitResult> {
  // Of a group of its own, so that its helpers (git-remote-https, index-pack) end with it.
  const child = spawn('git', [...request.args], {
    cwd: request.cwd,
    env: environment,
    stdio: [request.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    detached: true,
  });
  running.add(child);
  // One that ends before it has read all says why by itself.
  child.stdin?.on('error', () => undefined).end(request.input);
  let endedBecause: string | null = null;
  const end = (reason: string) => {
    endedBecause ??= reason;
    killGroup(child);
  };
  const timer = setTimeout(
    () => end(`git took longer than ${Math.round(request.timeoutMs / 1000)} s`),
    request.timeoutMs,
  );
  const watching = request.watch ? watch(request.watch, end) : null;
  const chunks: Buffer[] = [];
  let outputBytes = 0;
  child.stdout?.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
    if (outputBytes > (request.outputBytesMax ?? outputBytesMaxDefault)) end('git said more than expected');
    else chunks.push(chunk);
  });
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-errorCharsMax);
  });
  try {
    const exitCode = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { output: Buffer.concat(chunks), errors, exitCode, endedBecause };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return {
      output: Buffer.alloc(0),
      errors: '',
      exitCode: null,
      endedBecause: 'git is not installed on the server, or not in its PATH',
    };
  } finally {
    running.delete(child);
    clearTimeout(timer);
    if (watching) clearInterval(watching);
  }
}

function watch(ask: () => Promise<string | null>, end: (reason: string) => void): NodeJS.Timeout {
  return setInterval(() => {
    ask().then(
      (reason) => {
        if (reason !== null) end(reason);
      },
      // What is looked at comes and goes; the next look tells.
      () => undefined,
    );
  }, watchEveryMs);
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
