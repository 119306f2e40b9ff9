/** Makes, changes and trashes saved queries. Everybody may read and run them; their owner and administrators change them. */
import crypto from 'node:crypto';
import { ApiError, type QueryDocument, type RequestOf, type routes } from '@headrace/api';
import type { Principal } from '../context.ts';
import { type Querier, sqlState, uniqueViolation } from '../db/connect.ts';
import { refuseUnstorable } from '../jobs/validate-settings.ts';
import type { Services } from '../services.ts';
import { findPrincipalByName } from '../tokens/find-principal.ts';
import { findFreeName, toParentPath } from '../workspace/parent-path.ts';
import { noSuchQuery } from './read-queries.ts';
import { findQueryRow, insertQuery, listNames, type QueryRow, updateQueryRow } from './store.ts';
import { toQueryDocument } from './wire.ts';

interface Caller {
  readonly principal: Principal;
  readonly nowMs: number;
}

const nameDefault = 'New query';
/** Two that save at once may choose the same free name. */
const attemptsMax = 5;
const typedValues = [
  'text_value',
  'numeric_value',
  'date_value',
  'date_range_value',
  'enum_value',
  'query_backed_value',
] as const;
const changeable = [
  'display_name',
  'query_text',
  'description',
  'catalog',
  'schema',
  'warehouse_id',
  'parameters',
  'tags',
  'run_as_mode',
  'apply_auto_limit',
  'owner_user_name',
];

export async function createQuery(
  { db }: Pick<Services, 'db'>,
  { query = {}, auto_resolve_display_name: isResolved = false }: RequestOf<typeof routes.queriesCreate>,
  { principal, nowMs }: Caller,
): Promise<QueryDocument> {
  checkFields(query);
  const { display_name = nameDefault, query_text = '', parent_path, ...fields } = query;
  const parentPath = toParentPath(parent_path, principal, 'query.parent_path');
  for (let attempt = 1; ; attempt++) {
    const displayName = isResolved
      ? findFreeName(display_name, await listNames(db, { parentPath, prefix: display_name }))
      : display_name;
    const row: QueryRow = {
      queryId: crypto.randomUUID(),
      displayName,
      parentPath,
      queryText: query_text,
      fields,
      ownerId: principal.id,
      ownerUserName: principal.userName,
      modifiedBy: principal.userName,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      trashedAtMs: null,
    };
    if (await insertQuery(db, row)) return toQueryDocument(row);
    if (!isResolved || attempt === attemptsMax) throw nameTaken(displayName, parentPath);
  }
}

export async function updateQuery(
  { db }: Pick<Services, 'db'>,
  request: RequestOf<typeof routes.queriesUpdate>,
  { principal, nowMs }: Caller,
): Promise<QueryDocument> {
  const { id, query = {}, auto_resolve_display_name: isResolved = false } = request;
  checkFields(query);
  const mask = readMask(request.update_mask, Object.keys(query));
  return db.transaction(async (client) => {
    const row = await lockChangeable(client, id, principal);
    if (row.trashedAtMs !== null)
      throw new ApiError('INVALID_STATE', `Query ${id} is in the trash and cannot be changed.`);
    const changed = {
      ...row,
      ...applyMask(row, query, mask),
      modifiedBy: principal.userName,
      updatedAtMs: nowMs,
    };
    const owner = mask.includes('owner_user_name') ? await findOwner(client, query.owner_user_name) : null;
    const isRenamed = changed.displayName !== row.displayName;
    const displayName =
      isRenamed && isResolved
        ? findFreeName(
            changed.displayName,
            await listNames(client, { parentPath: row.parentPath, prefix: changed.displayName }),
          )
        : changed.displayName;
    if (isRenamed && (await isNameTaken(client, displayName, row.parentPath)))
      throw nameTaken(displayName, row.parentPath);
    const saved: QueryRow = {
      ...changed,
      displayName,
      ...(owner ? { ownerId: owner.id, ownerUserName: owner.userName } : {}),
    };
    await saveRenamed(client, saved);
    return toQueryDocument(saved);
  });
}

/** Another may have taken the name since it was looked for. */
async function saveRenamed(client: Querier, row: QueryRow): Promise<void> {
  try {
    await updateQueryRow(client, row);
  } catch (error) {
    throw sqlState(error) === uniqueViolation ? nameTaken(row.displayName, row.parentPath) : error;
  }
}

/** Once more changes nothing. */
export async function trashQuery(
  { db }: Pick<Services, 'db'>,
  queryId: string,
  { principal, nowMs }: Caller,
): Promise<void> {
  await db.transaction(async (client) => {
    const row = await lockChangeable(client, queryId, principal);
    if (row.trashedAtMs !== null) return;
    await updateQueryRow(client, {
      ...row,
      modifiedBy: principal.userName,
      updatedAtMs: nowMs,
      trashedAtMs: nowMs,
    });
  });
}

async function lockChangeable(client: Querier, queryId: string, principal: Principal): Promise<QueryRow> {
  const row = await findQueryRow(client, queryId, { isLocked: true });
  if (!row) throw noSuchQuery(queryId);
  if (row.ownerId !== principal.id && !principal.isAdmin)
    throw new ApiError(
      'PERMISSION_DENIED',
      `Query ${queryId} belongs to ${row.ownerUserName}, who and administrators may change it.`,
    );
  return row;
}

function checkFields(query: NonNullable<RequestOf<typeof routes.queriesCreate>['query']>): void {
  refuseUnstorable(query, 'query');
  const parameters = query.parameters ?? [];
  for (const [index, parameter] of parameters.entries()) {
    const field = `query.parameters[${index}]`;
    if (parameters.findIndex(({ name }) => name === parameter.name) !== index)
      throw invalid(`${field}: '${parameter.name}' is used more than once`);
    const named = typedValues.filter((kind) => parameter[kind] !== undefined);
    if (named.length > 1) throw invalid(`${field}: has several values (${named.join(', ')}); keep one`);
  }
}

/** Commas between fields, each perhaps with `query.` before it. */
function readMask(written: string, given: readonly string[]): string[] {
  const names = written
    .split(',')
    .map((name) => name.trim().replace(/^query\./, ''))
    .filter((name) => name !== '');
  if (names.length === 0) throw invalid('update_mask: names no field; name those to be changed, or *');
  if (names.includes('*')) return given.filter((name) => changeable.includes(name));
  const unknown = names.find((name) => !changeable.includes(name));
  if (unknown !== undefined) throw invalid(`update_mask: '${unknown}' is none of ${changeable.join(', ')}`);
  return names;
}

function applyMask(
  row: QueryRow,
  query: NonNullable<RequestOf<typeof routes.queriesUpdate>['query']>,
  mask: readonly string[],
): Partial<QueryRow> {
  const kept = Object.entries(row.fields).filter(([name]) => !mask.includes(name));
  const given = Object.entries(query).filter(
    ([name]) => mask.includes(name) && !['display_name', 'query_text', 'owner_user_name'].includes(name),
  );
  if (mask.includes('display_name') && query.display_name === undefined)
    throw invalid('query.display_name: is missing, expected a text');
  return {
    fields: Object.fromEntries([...kept, ...given]),
    ...(mask.includes('display_name') && query.display_name !== undefined
      ? { displayName: query.display_name }
      : {}),
    ...(mask.includes('query_text') ? { queryText: query.query_text ?? '' } : {}),
  };
}

async function findOwner(client: Querier, userName: string | undefined): Promise<Principal> {
  const owner = userName === undefined ? null : await findPrincipalByName(client, userName);
  if (!owner) throw invalid(`query.owner_user_name: there is no user '${userName ?? ''}'`);
  return owner;
}

async function isNameTaken(db: Querier, name: string, parentPath: string): Promise<boolean> {
  return (await listNames(db, { parentPath, prefix: name })).includes(name);
}

function nameTaken(name: string, parentPath: string): ApiError {
  return new ApiError(
    'RESOURCE_ALREADY_EXISTS',
    `A query named '${name}' already exists in ${parentPath}: choose another name, or set auto_resolve_display_name.`,
  );
}

function invalid(message: string): ApiError {
  return new ApiError('INVALID_PARAMETER_VALUE', message);
}
