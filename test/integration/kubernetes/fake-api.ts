/**
 * A Kubernetes API for Pods on this machine: the routes that our backend uses, with the statuses, versions and watch
 * events of the real one. What becomes of a Pod is `fake-node.ts`. Trouble is ordered by tests, request by request.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { KubeConfig, type V1Pod } from '@kubernetes/client-node';
import { findShapeProblems } from './shapes.ts';

export const token = 'token-of-the-service-account';

export interface Trouble {
  readonly method: 'GET' | 'POST' | 'DELETE' | 'WATCH';
  /** `reset`: the connection is broken; `lost`: done, and then broken; else an answer. */
  readonly answer:
    | 'reset'
    | 'lost'
    | { readonly code: number; readonly reason: string; readonly message: string; readonly headers?: object };
  /** How many requests it meets. */
  times: number;
}

export interface FakeApi {
  readonly config: KubeConfig;
  readonly pods: ReadonlyMap<string, V1Pod>;
  /** Every request, as `POST pods` or `WATCH pods`. */
  readonly requests: string[];
  readonly troubles: Trouble[];
  /** Of every request to delete, in seconds; 0 forgets a Pod that may still run. */
  readonly graces: number[];
  readonly node: { created: (pod: V1Pod) => void; deleted: (pod: V1Pod) => void };
  /** A change of the status by its node. */
  change(name: string, change: (pod: V1Pod) => V1Pod): void;
  /** Gone for good, as its node has confirmed. */
  remove(name: string): void;
  /** The versions so far are too old to watch from; open watches end. */
  forgetVersions(): void;
  close(): Promise<void>;
}

interface Change {
  readonly version: number;
  readonly type: string;
  readonly object: V1Pod;
}

export async function startFakeApi(namespace: string): Promise<FakeApi> {
  const pods = new Map<string, V1Pod>();
  const changes: Change[] = [];
  const watches = new Set<{ readonly selector: string; readonly response: http.ServerResponse }>();
  const requests: string[] = [];
  const troubles: Trouble[] = [];
  const graces: number[] = [];
  const node = { created: (_pod: V1Pod) => {}, deleted: (_pod: V1Pod) => {} };
  let version = 100;
  let oldest = 0;

  const publish = (type: string, pod: V1Pod) => {
    version += 1;
    const object = { ...pod, metadata: { ...pod.metadata, resourceVersion: String(version) } };
    if (type === 'DELETED') pods.delete(nameOf(pod));
    else pods.set(nameOf(pod), object);
    changes.push({ version, type, object });
    for (const { selector, response } of watches) {
      if (matches(object, selector)) response.write(`${JSON.stringify({ type, object })}\n`);
    }
    return object;
  };
  const watch = (query: URLSearchParams, response: http.ServerResponse) => {
    const from = Number(query.get('resourceVersion'));
    const selector = query.get('labelSelector') ?? '';
    response.writeHead(200, { 'content-type': 'application/json' });
    if (from < oldest) {
      const object = status({ code: 410, reason: 'Expired', message: `too old resource version: ${from}` });
      response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
      return;
    }
    response.flushHeaders();
    for (const { version: at, type, object } of changes) {
      if (at > from && matches(object, selector)) response.write(`${JSON.stringify({ type, object })}\n`);
    }
    const entry = { selector, response };
    watches.add(entry);
    response.on('close', () => watches.delete(entry));
  };
  const create = (pod: V1Pod): Answer => {
    const problems = findShapeProblems(pod, 'V1Pod');
    if (problems.length > 0) return refuse({ code: 400, reason: 'BadRequest', message: problems.join(', ') });
    const name = nameOf(pod);
    if (pods.has(name))
      return refuse({ code: 409, reason: 'AlreadyExists', message: `pods "${name}" already exists` }, name);
    const metadata = { ...pod.metadata, uid: `uid-${version}`, creationTimestamp: new Date() };
    const made = publish('ADDED', { ...pod, metadata, status: { phase: 'Pending' } });
    node.created(made);
    return { code: 201, body: made };
  };
  const remove = (name: string): Answer => {
    const pod = pods.get(name);
    if (pod === undefined) return notFound(name);
    if (pod.metadata?.deletionTimestamp === undefined) {
      const metadata = { ...pod.metadata, deletionTimestamp: new Date() };
      node.deleted(publish('MODIFIED', { ...pod, metadata }));
    }
    return { code: 200, body: pods.get(name) ?? pod };
  };
  const route = (method: string, name: string | undefined, query: URLSearchParams, body: string): Answer => {
    if (name !== undefined && method === 'GET') {
      const pod = pods.get(name);
      return pod === undefined ? notFound(name) : { code: 200, body: pod };
    }
    if (name !== undefined && method === 'DELETE') {
      graces.push(Number(query.get('gracePeriodSeconds') ?? 30));
      return remove(name);
    }
    if (name === undefined && method === 'POST') return create(JSON.parse(body) as V1Pod);
    if (name !== undefined || method !== 'GET') return { code: 405, body: 'no such method' };
    const items = [...pods.values()].filter((pod) => matches(pod, query.get('labelSelector') ?? ''));
    const metadata = { resourceVersion: String(version) };
    return { code: 200, body: { kind: 'PodList', apiVersion: 'v1', metadata, items } };
  };

  const server = http.createServer(async (request, response) => {
    const url = new URL(request.url ?? '', 'http://api');
    const body = (await request.toArray()).join('');
    const name = new RegExp(`^/api/v1/namespaces/${namespace}/pods(?:/([^/]+))?$`).exec(url.pathname);
    const isWatch = url.searchParams.get('watch') === 'true';
    const method = isWatch ? 'WATCH' : (request.method ?? '');
    requests.push(`${method} pods`);
    const trouble = troubles.find((one) => one.method === method && one.times > 0);
    if (trouble !== undefined) trouble.times -= 1;
    const ordered = trouble?.answer;
    if (ordered === 'reset') return void request.socket.destroy();
    if (typeof ordered === 'object') return send(response, refuse(ordered), ordered.headers);
    if (request.headers.authorization !== `Bearer ${token}`)
      return send(response, refuse({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' }));
    if (url.pathname === `/apis/apps/v1/namespaces/${namespace}/statefulsets/headrace`)
      return send(response, { code: 200, body: { metadata: { name: 'headrace', uid: 'uid-of-the-set' } } });
    if (name === null) return send(response, { code: 404, body: '404 page not found' });
    if (isWatch) return watch(url.searchParams, response);
    const answer = route(method, name[1], url.searchParams, body);
    if (ordered === 'lost') return void request.socket.destroy();
    send(response, answer);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    config: configOf(`http://127.0.0.1:${port}`, namespace),
    ...{ pods, requests, troubles, graces, node },
    change(changed, change) {
      const pod = pods.get(changed);
      if (pod !== undefined) publish('MODIFIED', change(pod));
    },
    remove(gone) {
      const pod = pods.get(gone);
      if (pod !== undefined) publish('DELETED', pod);
    },
    forgetVersions() {
      oldest = version + 1;
      version += 1;
      changes.splice(0);
      for (const { response } of watches) response.end();
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Answer {
  readonly code: number;
  readonly body: unknown;
}

function send(response: http.ServerResponse, { code, body }: Answer, headers: object = {}): void {
  const isText = typeof body === 'string';
  const type = isText ? 'text/plain' : 'application/json';
  response.writeHead(code, { 'content-type': type, ...headers });
  response.end(isText ? body : JSON.stringify(body));
}

function status(
  failure: { readonly code: number; readonly reason: string; readonly message: string },
  name?: string,
) {
  const details = name === undefined ? {} : { details: { name, kind: 'pods' } };
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', ...details, ...failure };
}

function refuse(failure: Parameters<typeof status>[0], name?: string): Answer {
  const { code, reason, message } = failure;
  return { code, body: status({ code, reason, message }, name) };
}

function notFound(name: string): Answer {
  return refuse({ code: 404, reason: 'NotFound', message: `pods "${name}" not found` }, name);
}

export const nameOf = (pod: V1Pod): string => pod.metadata?.name ?? '';

function matches({ metadata }: V1Pod, selector: string): boolean {
  return selector.split(',').every((part) => {
    const [label = '', value] = part.split('=');
    return metadata?.labels?.[label] === value;
  });
}

function configOf(server: string, namespace: string): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [{ name: 'fake', server, skipTLSVerify: true }],
    users: [{ name: 'headrace', token }],
    contexts: [{ name: 'fake', cluster: 'fake', user: 'headrace', namespace }],
    currentContext: 'fake',
  });
  return config;
}
