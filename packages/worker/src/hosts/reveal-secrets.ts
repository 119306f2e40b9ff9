/**
 * Puts the values of secrets into a cluster's configuration and environment, when its host starts and not before: until
 * then, and wherever it is stored or shown, `{{secrets/scope/key}}` stands there.
 */
import type { AttemptSource, ClusterAssignment, SecretReference } from '../ports.ts';
import type { HostBackend } from './host-backend.ts';

/** As hosted: the whole value of a setting is a reference, or it is none. */
const reference = /^\{\{\s*secrets\/([^/{}\s]+)\/([^/{}\s]+)\s*\}\}$/;
/** Shorter values are not hidden; the runtime has the same number. */
const hiddenCharsMin = 4;

/** A backend whose hosts get values. */
export function revealSecretsIn(
  backend: HostBackend,
  { source, workerId }: { readonly source: AttemptSource; readonly workerId: string },
): HostBackend {
  return {
    ...backend,
    async start(cluster, options) {
      const revealed = await revealCluster(cluster, (references) => {
        const { revealSecrets } = source;
        if (!revealSecrets || cluster.principalId === undefined)
          throw new Error('nobody’s tasks run on it yet, so there is nobody whose secrets it may have');
        return revealSecrets.call(source, workerId, { principalId: cluster.principalId, references });
      });
      try {
        return await backend.start(revealed, options);
      } catch (error) {
        throw hideIn(error, revealed.secretValues ?? []);
      }
    },
  };
}

/** Reads each secret once; a cluster without references stays as it is. */
export async function revealCluster(
  cluster: ClusterAssignment,
  read: (references: readonly SecretReference[]) => Promise<readonly Uint8Array[]>,
): Promise<ClusterAssignment> {
  const settings = [...Object.entries(cluster.sparkConf), ...Object.entries(cluster.environment)];
  const found = new Map(settings.flatMap(([, text]) => toReference(text) ?? []));
  if (found.size === 0) return cluster;
  const names = [...found.keys()];
  const values = await read([...found.values()]);
  const texts = new Map(names.map((name, index) => [name, toText(name, values[index])]));
  const fill = (record: Readonly<Record<string, string>>) =>
    Object.fromEntries(
      Object.entries(record).map(([setting, text]) => [
        setting,
        texts.get(toReference(text)?.[0]?.[0] ?? '') ?? text,
      ]),
    );
  return {
    ...cluster,
    sparkConf: fill(cluster.sparkConf),
    environment: fill(cluster.environment),
    secretValues: [...new Set(texts.values())],
  };
}

/** As an entry of a map; null for what is no reference. */
function toReference(text: string): [[string, SecretReference]] | null {
  const match = reference.exec(text);
  if (match === null) return null;
  const [, scope = '', key = ''] = match;
  return [[`${scope}/${key}`, { scope, key }]];
}

function toText(name: string, value: Uint8Array | undefined): string {
  if (value === undefined) throw new Error(`secret ${name} was not given`);
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(value);
    if (!text.includes('\0')) return text;
  } catch {
    // Not UTF-8: told below, without the bytes.
  }
  throw new Error(
    `secret ${name} is no text, so it cannot stand in a cluster’s configuration or environment`,
  );
}

/** The error as it was, but for values in its message: it goes to logs and people, and a cause would take them along. */
function hideIn(error: unknown, values: readonly string[]): unknown {
  if (!(error instanceof Error)) return error;
  const message = values
    .filter((value) => value.trim().length >= hiddenCharsMin)
    .reduce((text, value) => text.replaceAll(value.trim(), '[REDACTED]'), error.message);
  if (message === error.message) return error;
  // Of the same class, with its other fields.
  return Object.assign(Object.create(Object.getPrototypeOf(error)), error, { message, stack: message });
}
