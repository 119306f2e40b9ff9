/** Deployments as their tests need them: few words, and only what matters. */
import crypto from 'node:crypto';
import type { Client } from '@headrace/api';

type Commit = Parameters<Client['bundlesCommit']>[0];

export const sha256 = (text: string) => crypto.createHash('sha256').update(text).digest('hex');
export const base64 = (text: string) => Buffer.from(text).toString('base64');
export const root = '/Users/admin/.bundle/shop/dev';

let requests = 0;
export const newRequestId = () => `request-${++requests}`;

export function lock(client: Client, more: object = {}) {
  const place = { state_path: `${root}/state`, target: 'dev', bundle: 'shop' };
  return client.bundlesLock({
    ...{ ...place, request_id: newRequestId(), machine: 'laptop', command: 'bundle deploy' },
    ...more,
  });
}

export function aJob(key: string, settings: object = {}) {
  const document = {
    name: key,
    tasks: [{ task_key: 'only', spark_python_task: { python_file: `${root}/files/${key}.py` } }],
    deployment: { kind: 'BUNDLE', metadata_file_path: `${root}/state/deployment.json` },
    ...settings,
  };
  return { kind: 'jobs', key, name: key, action: 'create' as const, document };
}

/** Path below the files' folder → text. */
export type Files = Readonly<Record<string, string>>;

export interface Version {
  readonly files?: Files;
  readonly more?: Partial<Commit>;
}

/** Uploads what is missing, and commits under the lock that is given or a new one. */
export async function deploy(client: Client, { files = {}, more = {} }: Version) {
  const held = await lock(client, { force: true });
  const under = { deployment_id: held.deployment_id, fence: held.fence };
  await upload(client, under, files);
  return commit(client, { ...under, expected_version: held.current_version }, { files, more });
}

export async function upload(
  client: Client,
  under: { readonly deployment_id: number; readonly fence: number },
  files: Files,
): Promise<void> {
  const texts = new Map(Object.values(files).map((text) => [sha256(text), text]));
  const { deployment_id } = under;
  const { missing } = await client.bundlesFindMissing({ deployment_id, hashes: [...texts.keys()] });
  const contents = missing.map((hash) => ({ hash, content: base64(texts.get(hash) ?? '') }));
  await client.bundlesPutContents({ ...under, contents });
}

export function commit(
  client: Client,
  under: Pick<Commit, 'deployment_id' | 'fence' | 'expected_version'>,
  { files = {}, more = {} }: Version,
) {
  const named = Object.entries(files).map(([name, text]) => ({
    path: `${root}/files/${name}`,
    hash: sha256(text),
  }));
  return client.bundlesCommit({
    ...{ ...under, request_id: newRequestId(), resources: [], files: named },
    ...more,
  });
}
