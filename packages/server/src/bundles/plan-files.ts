/** What a commit does to the workspace's files: read and decided before anything is changed. */
import { ApiError, type BundleFile } from '@headrace/api';
import type { Services } from '../services.ts';
import { importBytesMax } from '../workspace/limits.ts';
import { planImport } from '../workspace/notebook-source.ts';
import { findObjectsAt, type StandingObject } from '../workspace/place-objects.ts';
import { normalizePath, toBlobKey } from '../workspace/workspace-path.ts';
import { type ContentRow, findContents, type JournalledFile } from './content-store.ts';
import { contentKey } from './contents.ts';
import { forEachAtOnce } from './for-each-at-once.ts';
import { beforeKey } from './settle-placement.ts';
import type { PlacedFile, VersionRow } from './version-store.ts';

export interface PlannedFiles {
  /** All that the version has. */
  readonly placed: readonly PlacedFile[];
  /** Their rows are written again. */
  readonly put: readonly PlacedFile[];
  /** Those of the version before that go. */
  readonly remove: readonly string[];
  readonly contents: ReadonlyMap<string, ContentRow>;
  readonly standing: ReadonlyMap<string, StandingObject>;
}

type FileServices = Pick<Services, 'db' | 'blobs'>;

export async function planFiles(
  services: FileServices,
  deploymentId: number,
  { files, previous }: { readonly files: readonly BundleFile[]; readonly previous: VersionRow | null },
): Promise<PlannedFiles> {
  const wanted = files.map((file) => ({ ...file, path: normalizePath(file.path) }));
  refuseDoubled(wanted.map(({ path }) => path));
  const contents = await requireContents(services, deploymentId, wanted);
  const before = new Map((previous?.files ?? []).map((file) => [file.path, file]));
  const unchanged = new Set<string>();
  const byPath = new Map<string, PlacedFile>();
  await forEachAtOnce(wanted, async (file) => {
    const known = before.get(file.path);
    const isKnown =
      known?.hash === file.hash && known.format === file.format && known.language === file.language;
    const placed = isKnown
      ? { ...file, ...objectOf(known) }
      : { ...file, ...(await readObject(services, { deploymentId, contents, file })) };
    if (isKnown) unchanged.add(placed.object_path);
    byPath.set(file.path, placed);
  });
  const placed = wanted.flatMap(({ path }) => byPath.get(path) ?? []);
  refuseDoubled(placed.map((file) => file.object_path));
  const kept = new Set(placed.map((file) => file.object_path));
  const remove = (previous?.files ?? []).map((file) => file.object_path).filter((path) => !kept.has(path));
  const standing = await findObjectsAt(services.db, [...kept, ...remove]);
  const isInPlace = (file: PlacedFile) => {
    const row = standing.get(file.object_path);
    // What somebody has changed since by hand is put right.
    const isOurs = row && !row.isFolder && row.modifiedAtMs <= (previous?.createdAtMs ?? 0);
    return unchanged.has(file.object_path) && isOurs;
  };
  return { placed, put: placed.filter((file) => !isInPlace(file)), remove, contents, standing };
}

const namedMax = 5;

function refuseDoubled(paths: readonly string[]): void {
  const seen = new Set<string>();
  for (const path of paths) {
    if (seen.has(path))
      throw new ApiError('INVALID_PARAMETER_VALUE', `files: two of them have the place ${path}`);
    seen.add(path);
  }
}

async function requireContents(
  { db }: Pick<Services, 'db'>,
  deploymentId: number,
  files: readonly BundleFile[],
): Promise<ReadonlyMap<string, ContentRow>> {
  const rows = await findContents(
    db,
    deploymentId,
    files.map(({ hash }) => hash),
  );
  const contents = new Map(rows.map((row) => [row.hash, row]));
  const missing = files.filter(({ hash }) => !contents.has(hash));
  if (missing.length === 0) return contents;
  const named = missing.slice(0, namedMax).map(({ path }) => path);
  throw new ApiError(
    'INVALID_PARAMETER_VALUE',
    `files: the contents of ${missing.length} of them are not here, upload them first: ${named.join(', ')}`,
  );
}

type PlacedObject = Pick<PlacedFile, 'object_path' | 'object_language' | 'object_bytes'>;

function objectOf({ object_path, object_language, object_bytes }: PlacedFile): PlacedObject {
  return { object_path, object_language, object_bytes };
}

interface FileToRead {
  readonly deploymentId: number;
  readonly contents: ReadonlyMap<string, ContentRow>;
  readonly file: BundleFile;
}

async function readObject(services: FileServices, read: FileToRead): Promise<PlacedObject> {
  const plan = await readPlanned(services, read);
  if (plan.content.length > importBytesMax) {
    throw new ApiError(
      'INVALID_PARAMETER_VALUE',
      `files: ${read.file.path}: ${plan.content.length} bytes are more than the limit of ${importBytesMax}`,
    );
  }
  return {
    object_path: plan.path,
    object_language: plan.kind === 'notebook' ? plan.language : null,
    object_bytes: plan.content.length,
  };
}

/** The bytes as they stand in the workspace: notebooks are converted as by an import. */
async function readPlanned({ blobs }: Pick<Services, 'blobs'>, read: FileToRead) {
  const { deploymentId, contents, file } = read;
  const row = contents.get(file.hash);
  const content = row && (await blobs.get(contentKey(deploymentId, row)));
  if (!content)
    throw new Error(`the content ${file.hash} of deployment ${deploymentId} is gone from the store`);
  return planImport({ path: file.path, format: file.format, language: file.language, content });
}

export interface Journal {
  readonly placementId: number;
  /** Those whose bytes change. */
  readonly files: readonly JournalledFile[];
  /** By path, where its new bytes are; of a place that becomes empty, nowhere. */
  readonly staged: ReadonlyMap<string, string>;
  /** Where the store has a folder and a file comes. */
  readonly folders: ReadonlySet<string>;
}

/** Where the new bytes of a place wait to be moved there: in the last moment of a commit there is nothing left to copy. */
function stagedKey(deploymentId: number, placementId: number, place: number): string {
  return `${beforeKey(deploymentId, placementId)}/new-${place}`;
}

/** Keeps what stands at the places that change, and brings near what comes there. */
export async function keepWhatStands(
  services: Pick<Services, 'blobs' | 'ids'>,
  deploymentId: number,
  { put, remove, contents, standing }: PlannedFiles,
): Promise<Journal> {
  await services.ids.reserve(1);
  const placementId = services.ids.newId();
  const { blobs } = services;
  const files: JournalledFile[] = [];
  const staged = new Map<string, string>();
  const folders = new Set<string>();
  let count = 0;
  const keep = async (path: string, bytes: Buffer | null, planned: Buffer | null) => {
    count += 1;
    const place = count;
    if (planned !== null) {
      staged.set(path, stagedKey(deploymentId, placementId, place));
      await blobs.put(stagedKey(deploymentId, placementId, place), planned);
    }
    const key = `${beforeKey(deploymentId, placementId)}/${place}`;
    if (bytes !== null) await blobs.put(key, bytes);
    const modifiedAtMs = standing.get(path)?.modifiedAtMs ?? null;
    files.push({ path, before: bytes === null ? null : { key, modifiedAtMs } });
  };
  await forEachAtOnce(put, async (file) => {
    const { content } = await readPlanned(services, { deploymentId, contents, file });
    const bytes = await blobs.get(toBlobKey(file.object_path));
    if (!bytes && (await blobs.stat(toBlobKey(file.object_path)))?.kind === 'folder')
      folders.add(file.object_path);
    if (!bytes?.equals(content)) await keep(file.object_path, bytes, content);
  });
  await forEachAtOnce(remove, async (path) => {
    const bytes = await blobs.get(toBlobKey(path));
    if (bytes) await keep(path, bytes, null);
  });
  return { placementId, files, staged, folders };
}
