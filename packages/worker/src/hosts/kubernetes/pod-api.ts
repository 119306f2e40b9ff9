/**
 * The requests that hosts in Pods need, through the official client. Each is safe to repeat and is repeated while the API
 * is away or asks to wait; what it refuses is told at once. Their verbs are those of deploy/kubernetes/access.yaml.
 */
import {
  type ApiException,
  AppsV1Api,
  CoreV1Api,
  type KubeConfig,
  type V1OwnerReference,
  type V1Pod,
  Watch,
} from '@kubernetes/client-node';
import { waitMs } from '../../wait.ts';
import {
  type ApiAction,
  codeOf,
  explainApiError,
  KubernetesError,
  retryDelayMs,
  saysNotFound,
} from './api-errors.ts';
import { labels } from './pod-manifest.ts';

/** An API server that is replaced comes back within this time; whoever waits hears of it then. */
const patienceMsDefault = 60_000;
const answerMs = 20_000;

export interface PodEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly pod: V1Pod;
}

export interface PodApi {
  readonly namespace: string;
  /** The address of the API. */
  readonly server: string;
  /** Its uid. A Pod of this name and start that is there already is the one that was asked for: its answer got lost. */
  create(pod: V1Pod, signal?: AbortSignal): Promise<string>;
  /** Null only where the API itself says that there is none. */
  read(name: string, signal?: AbortSignal): Promise<V1Pod | null>;
  list(signal?: AbortSignal): Promise<{ readonly pods: readonly V1Pod[]; readonly resourceVersion: string }>;
  /** From that version on, until the connection ends; the version to go on with, null where it is too old by now. */
  watch(
    resourceVersion: string,
    options: { readonly signal: AbortSignal; readonly onEvent: (event: PodEvent) => void },
  ): Promise<string | null>;
  /** Asks for its end. It has ended when it is gone, which is when its node has confirmed that. */
  delete(name: string, signal?: AbortSignal): Promise<void>;
  readOwner(name: string): Promise<V1OwnerReference>;
}

/**
 * Never 0: then the API forgets the Pod without asking its node, and a Pod that is gone would prove nothing. The node
 * sends SIGTERM, waits for so long, and sends SIGKILL.
 */
export const deleteGraceSeconds = 1;

export function createPodApi(
  config: KubeConfig,
  options: { readonly namespace: string; readonly selector: string; readonly patienceMs?: number },
): PodApi {
  const { namespace, selector: labelSelector } = options;
  const core = config.makeApiClient(CoreV1Api);
  const send = async <Answer>(
    verb: ApiAction['verb'],
    request: () => Promise<Answer>,
    {
      signal,
      resource = 'pods',
    }: { readonly signal?: AbortSignal | undefined; readonly resource?: string } = {},
  ): Promise<Answer> => {
    const action = { verb, resource, namespace };
    const deadline = performance.now() + (options.patienceMs ?? patienceMsDefault);
    for (let failures = 0; ; failures += 1) {
      signal?.throwIfAborted();
      try {
        return await answered(request());
      } catch (error) {
        const delayMs = retryDelayMs(error, failures);
        if (delayMs === null || performance.now() + delayMs > deadline) {
          if (codeOf(error) === 404 || codeOf(error) === 409) throw error;
          throw explainApiError(error, action);
        }
        await waitMs(delayMs, signal ?? new AbortController().signal);
      }
    }
  };
  const read = async (name: string, signal?: AbortSignal) => {
    try {
      return await send('get', () => core.readNamespacedPod({ name, namespace }), { signal });
    } catch (error) {
      if (saysNotFound(error, name)) return null;
      throw error instanceof KubernetesError
        ? error
        : explainApiError(error, { verb: 'get', resource: 'pods', namespace });
    }
  };

  return {
    namespace,
    server: config.getCurrentCluster()?.server ?? '',
    read,
    async create(pod, signal) {
      try {
        const made = await send('create', () => core.createNamespacedPod({ namespace, body: pod }), {
          signal,
        });
        return uidOf(made);
      } catch (error) {
        const there = codeOf(error) === 409 ? await readMade(pod, read) : null;
        if (there !== null) return uidOf(there);
        throw explainApiError(error, { verb: 'create', resource: 'pods', namespace });
      }
    },
    async list(signal) {
      const { items, metadata } = await send(
        'list',
        () => core.listNamespacedPod({ namespace, labelSelector }),
        { signal },
      );
      return { pods: items, resourceVersion: metadata?.resourceVersion ?? '' };
    },
    watch: (resourceVersion, { signal, onEvent }) =>
      watchPods(new Watch(config), { namespace, labelSelector, resourceVersion, signal, onEvent }),
    async delete(name, signal) {
      try {
        await send(
          'delete',
          () => core.deleteNamespacedPod({ name, namespace, gracePeriodSeconds: deleteGraceSeconds }),
          { signal },
        );
      } catch (error) {
        // Gone already, or on its way: whoever waits for the proof finds out.
        if (codeOf(error) !== 404 && codeOf(error) !== 409) throw error;
      }
    },
    async readOwner(name) {
      const apps = config.makeApiClient(AppsV1Api);
      const resource = 'statefulsets';
      try {
        const { metadata } = await send('get', () => apps.readNamespacedStatefulSet({ name, namespace }), {
          resource,
        });
        const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name, uid: metadata?.uid ?? '' };
        // Not its controller: it must neither count our Pods nor replace them.
        return { ...owner, controller: false, blockOwnerDeletion: false };
      } catch (error) {
        throw error instanceof KubernetesError
          ? error
          : explainApiError(error, { verb: 'get', resource, namespace });
      }
    },
  };
}

/** A connection that nobody ends, and nobody answers on, must not be waited for until the system gives it up. */
async function answered<Answer>(request: Promise<Answer>): Promise<Answer> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new DOMException(`no answer within ${answerMs / 1000} s`, 'TimeoutError')),
    answerMs,
  );
  try {
    return await Promise.race([request, promise]);
  } finally {
    clearTimeout(timer);
  }
}

/** The one that this start has made, under this name. */
async function readMade(pod: V1Pod, read: PodApi['read']): Promise<V1Pod | null> {
  const there = await read(pod.metadata?.name ?? '');
  const startOf = (of: V1Pod | null) => of?.metadata?.labels?.[labels.start];
  return startOf(there) === startOf(pod) ? there : null;
}

function uidOf({ metadata }: V1Pod): string {
  if (metadata?.uid === undefined) throw new Error(`the API made Pod ${metadata?.name} without a uid`);
  return metadata.uid;
}

function watchPods(
  watch: Watch,
  options: {
    readonly namespace: string;
    readonly labelSelector: string;
    readonly resourceVersion: string;
    readonly signal: AbortSignal;
    readonly onEvent: (event: PodEvent) => void;
  },
): Promise<string | null> {
  const { namespace, labelSelector, signal, onEvent } = options;
  const { promise, resolve, reject } = Promise.withResolvers<string | null>();
  let { resourceVersion } = options;
  let isTooOld = false;
  const onLine = (type: string, object: V1Pod & { readonly code?: number }) => {
    if (type === 'ERROR') {
      isTooOld = isTooOld || object.code === 410;
      return;
    }
    resourceVersion = object.metadata?.resourceVersion ?? resourceVersion;
    if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') onEvent({ type, pod: object });
  };
  const onEnd = (error: unknown) => {
    if (isTooOld || codeOf(error) === 410) return resolve(null);
    if (error === null || error === undefined || isQuiet(error)) return resolve(resourceVersion);
    reject(explainApiError(error as ApiException<unknown>, { verb: 'watch', resource: 'pods', namespace }));
  };
  const query = { labelSelector, resourceVersion, allowWatchBookmarks: true };
  watch.watch(`/api/v1/namespaces/${namespace}/pods`, query, onLine, onEnd).then((controller) => {
    if (signal.aborted) controller.abort();
    else signal.addEventListener('abort', () => controller.abort(), { once: true });
  }, reject);
  return promise;
}

/** The client gives up a watch on which nothing was said for half a minute. */
function isQuiet(error: unknown): boolean {
  return error instanceof Error && (error.name === 'TimeoutError' || error.name === 'AbortError');
}
