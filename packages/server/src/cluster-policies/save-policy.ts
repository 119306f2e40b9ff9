/** Makes, changes and deletes policies. A definition is checked whole before it is stored. */
import crypto from 'node:crypto';
import { ApiError, type ClusterPolicyFields } from '@headrace/api';
import type { Principal } from '../context.ts';
import { refuseUnstorable } from '../jobs/validate-settings.ts';
import { findLibraryProblem } from '../libraries/wire.ts';
import type { Services } from '../services.ts';
import { toText } from './attribute-path.ts';
import { findFamily } from './families.ts';
import { parseDefinition } from './parse-definition.ts';
import { noSuchPolicy } from './read-policies.ts';
import {
  countPolicies,
  deletePolicyRow,
  findPolicyRow,
  insertPolicy,
  isNameTaken,
  updatePolicy,
} from './store.ts';

/** A list has no pages, as public clients know it. */
export const policiesMax = 1_000;

/** Its id. */
export async function createPolicy(
  { db }: Pick<Services, 'db'>,
  fields: ClusterPolicyFields,
  { principal, nowMs }: { readonly principal: Principal; readonly nowMs: number },
): Promise<string> {
  const { name, definition } = readFields(fields);
  if ((await countPolicies(db)) >= policiesMax)
    throw new ApiError('RESOURCE_LIMIT_EXCEEDED', `there are ${policiesMax} policies: delete one first`);
  const policyId = crypto.randomBytes(8).toString('hex').toUpperCase();
  const row = { policyId, name, fields, definition, createdBy: principal.userName, createdAtMs: nowMs };
  if (!(await insertPolicy(db, row))) throw nameTaken(name);
  return policyId;
}

export async function editPolicy(
  { db }: Pick<Services, 'db'>,
  policyId: string,
  fields: ClusterPolicyFields,
): Promise<void> {
  const { name, definition } = readFields(fields);
  await db.transaction(async (client) => {
    if (!(await findPolicyRow(client, policyId, { isLocked: true }))) throw noSuchPolicy(policyId);
    if (await isNameTaken(client, name, policyId)) throw nameTaken(name);
    await updatePolicy(client, { policyId, name, fields, definition });
  });
}

export async function deletePolicy({ db }: Pick<Services, 'db'>, policyId: string): Promise<void> {
  if (!(await deletePolicyRow(db, policyId))) throw noSuchPolicy(policyId);
}

function nameTaken(name: string): ApiError {
  return new ApiError(
    'RESOURCE_ALREADY_EXISTS',
    `Cluster policy '${name}' already exists: choose another name`,
  );
}

/** With the rules that count. */
function readFields(fields: ClusterPolicyFields): { readonly name: string; readonly definition: string } {
  refuseUnstorable(fields, 'policy');
  const {
    name,
    definition,
    policy_family_id: familyId,
    policy_family_definition_overrides: overrides,
  } = fields;
  if (name === undefined) throw invalid('name: is missing, expected a text');
  const problems = (fields.libraries ?? []).flatMap((library, index) => {
    const problem = findLibraryProblem(library);
    return problem === null ? [] : [`libraries[${index}]: ${problem}`];
  });
  if (problems.length > 0) throw invalid(problems.join('; '));
  if (familyId === undefined) {
    if (overrides !== undefined)
      throw invalid(
        'policy_family_definition_overrides: there is no family to override: name it in policy_family_id',
      );
    parseDefinition(definition ?? '');
    return { name, definition: definition ?? '{}' };
  }
  if (definition !== undefined)
    throw invalid(
      'definition: a policy of a family has none of its own: write policy_family_definition_overrides, or leave out policy_family_id',
    );
  const family = findFamily(familyId);
  if (family === null) throw invalid(`policy_family_id: there is no policy family ${familyId}`);
  parseDefinition(overrides ?? '', 'policy_family_definition_overrides');
  return { name, definition: mergeDefinitions(family.definition, overrides) };
}

/** The rule of a path that is overridden goes; texts that pass the parser. */
function mergeDefinitions(family: string, overrides: string | undefined): string {
  const over = overrides?.trim() ? (JSON.parse(overrides) as Record<string, unknown>) : {};
  const named = new Set(parseDefinition(overrides ?? '').map(({ path }) => toText(path)));
  const kept = Object.entries(JSON.parse(family) as Record<string, unknown>).filter(
    ([path]) => !named.has(path),
  );
  return JSON.stringify({ ...Object.fromEntries(kept), ...over });
}

function invalid(message: string): ApiError {
  return new ApiError('INVALID_PARAMETER_VALUE', message);
}
