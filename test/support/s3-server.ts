/** A real S3 server as a process of its own (moto, in memory), and a proxy in front of it that breaks things. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { S3Credentials } from '../../packages/server/src/blobs/s3-settings.ts';

export interface S3Server {
  readonly endpoint: string;
  makeBucket(name: string): Promise<void>;
  /** The keys in a listing of the bucket, one page; of unfinished uploads with `uploads`. Without a signature. */
  listKeys(bucket: string, query: 'uploads' | 'list-type=2'): Promise<string[]>;
  /** From here on every request must be signed, with the key given back. */
  requireSignatures(): Promise<S3Credentials>;
  stop(): Promise<void>;
}

export const testCredentials = { accessKeyId: 'test-key-id', secretAccessKey: 'test-secret-of-the-key' };

const installer = fileURLToPath(new URL('../../scripts/s3-server.mjs', import.meta.url));

/**
 * It ends when its input does: also when the tests are killed. One request after the other: what two threads do to one
 * object there is no matter of ours.
 */
const program = `
import logging, sys, threading
logging.getLogger("werkzeug").setLevel(logging.ERROR)
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server
app, lock = DomainDispatcherApplication(create_backend_app), threading.Lock()
def answer(environ, start_response):
    with lock:
        answered = app(environ, start_response)
        try:
            return list(answered)
        finally:
            answered.close()
server = make_server("127.0.0.1", 0, answer, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_port, flush=True)
sys.stdin.read()
`;

export async function startS3Server(): Promise<S3Server> {
  const { stdout } = await promisify(execFile)(process.execPath, [installer], { timeout: 110_000 });
  const python = stdout.trim();
  const child = spawn(python, ['-I', '-c', program], {
    cwd: path.dirname(python),
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const [port] = (await Promise.race([
    once(lines, 'line'),
    exited.then(() => Promise.reject(new Error('the S3 server did not start'))),
  ])) as [string];
  const endpoint = `http://127.0.0.1:${port}`;
  return {
    endpoint,
    async makeBucket(name) {
      const { ok, status } = await fetch(`${endpoint}/${name}`, { method: 'PUT' });
      if (!ok) throw new Error(`no bucket ${name}: HTTP ${status}`);
    },
    async listKeys(bucket, query) {
      const xml = await (await fetch(`${endpoint}/${bucket}?${query}`)).text();
      return [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key = '']) => key);
    },
    requireSignatures: () => requireSignatures(endpoint),
    async stop() {
      child.stdin.end();
      await exited;
    },
  };
}

/** A user who may do all, with a key; then the server's switch that turns its checks on. */
async function requireSignatures(endpoint: string): Promise<S3Credentials> {
  const manageUsers = async (form: Record<string, string>) => {
    // The server tells by the scope of this header which service is meant.
    const credential = 'Credential=x/20260101/us-east-1/iam/aws4_request';
    const answer = await fetch(endpoint, {
      method: 'POST',
      headers: { authorization: `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=host, Signature=x` },
      body: new URLSearchParams({ Version: '2010-05-08', UserName: 'tester', ...form }),
    });
    return answer.text();
  };
  await manageUsers({ Action: 'CreateUser' });
  const made = await manageUsers({ Action: 'CreateAccessKey' });
  const Statement = [{ Effect: 'Allow', Action: ['s3:*'], Resource: '*' }];
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement });
  await manageUsers({ Action: 'PutUserPolicy', PolicyName: 'all', PolicyDocument });
  await fetch(`${endpoint}/moto-api/reset-auth`, { method: 'POST', body: '0' });
  const read = (name: string) => new RegExp(`<${name}>([^<]*)`).exec(made)?.[1] ?? '';
  return { accessKeyId: read('AccessKeyId'), secretAccessKey: read('SecretAccessKey') };
}

export interface Passing {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
}

/**
 * What happens to a request: `cut_request` closes the connection after some of its body, `cut_answer` after some of the
 * answer's body, `stall_answer` stops sending there, `lose_answer` lets the server do it and closes the connection instead of an answer, `hang` never
 * answers, `slow_down` is 503, `no_such_upload` is what Amazon answers to a completion that was done before.
 */
export type Fault =
  | 'cut_request'
  | 'cut_answer'
  | 'stall_answer'
  | 'lose_answer'
  | 'hang'
  | 'slow_down'
  | 'no_such_upload';

export interface FaultProxy {
  readonly endpoint: string;
  /** All requests so far. */
  readonly seen: readonly Passing[];
  /** Asked for each request; null lets it pass. */
  breakWith(choose: (request: Passing) => Fault | null): void;
  /** Resets all connections as they are. */
  cutAll(): void;
  stop(): Promise<void>;
}

const bytesBeforeCut = 64 * 1024;

export async function startFaultProxy(target: string): Promise<FaultProxy> {
  const seen: Passing[] = [];
  let choose: (request: Passing) => Fault | null = () => null;
  const server = http.createServer((request, response) => {
    const passing = { method: request.method ?? '', url: request.url ?? '' };
    seen.push(passing);
    pass(target, { request, response, fault: choose(passing) });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    seen,
    breakWith(chooseNew) {
      choose = chooseNew;
    },
    cutAll: () => server.closeAllConnections(),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Exchange {
  readonly request: http.IncomingMessage;
  readonly response: http.ServerResponse;
  readonly fault: Fault | null;
}

function pass(target: string, { request, response, fault }: Exchange): void {
  if (fault === 'hang') return;
  if (fault === 'slow_down') {
    request.resume();
    const body = '<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>';
    response.writeHead(503, { 'content-type': 'application/xml' }).end(body);
    return;
  }
  if (fault === 'no_such_upload') {
    request.resume();
    const body = '<Error><Code>NoSuchUpload</Code><Message>The upload does not exist.</Message></Error>';
    response.writeHead(404, { 'content-type': 'application/xml' }).end(body);
    return;
  }
  if (fault === 'cut_request') {
    let received = 0;
    request.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > bytesBeforeCut) request.socket.resetAndDestroy();
    });
    request.on('error', () => undefined);
    return;
  }
  // The host is part of the signature, so it stays as the client wrote it.
  const onward = http.request(
    `${target}${request.url}`,
    { method: request.method, headers: request.headers },
    (answer) => {
      if (fault === 'lose_answer') {
        answer.resume().on('end', () => request.socket.resetAndDestroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      if (fault === 'cut_answer' || fault === 'stall_answer') {
        answer.once('data', (chunk: Buffer) => {
          response.write(chunk.subarray(0, bytesBeforeCut), () => {
            if (fault === 'cut_answer') request.socket.resetAndDestroy();
          });
          answer.destroy();
        });
        return;
      }
      answer.pipe(response);
    },
  );
  onward.on('error', () => request.socket.destroy());
  request.pipe(onward);
}
