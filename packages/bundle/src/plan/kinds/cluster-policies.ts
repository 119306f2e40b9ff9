import { ClusterPolicyFields } from '@headrace/api';
import { nullIfAbsent } from './is-absent.ts';
import { asTyped, type KindDefinition, NO_RULES, omitFields, pickFields } from './kind-definition.ts';

const FIELDS = Object.keys(ClusterPolicyFields.shape);

export const clusterPolicies: KindDefinition = {
  kind: 'cluster_policies',
  noun: 'cluster policy',
  loss: null,
  rules: { ...NO_RULES, defaults: { description: '', definition: '{}' } },
  recreateOn: [],
  toDocument: ({ settings }) => {
    const document = pickFields(settings, FIELDS);
    // YAML writes the rules as a mapping, the API takes them as a text.
    const texts = ['definition', 'policy_family_definition_overrides'].flatMap((field) =>
      typeof document[field] === 'object' && document[field] !== null
        ? [[field, JSON.stringify(document[field])]]
        : [],
    );
    return asTyped(ClusterPolicyFields, { ...document, ...Object.fromEntries(texts) });
  },
  nameOf: (document) => document.name,
  read: async (id, client) => {
    const policy = await nullIfAbsent(client.clusterPoliciesGet({ policy_id: id }));
    return policy === null ? null : pickFields(policy, FIELDS);
  },
  // With a family the server shows the family's rules.
  toComparable: (remote, { document }) =>
    document.policy_family_id === undefined ? remote : omitFields(remote, ['definition']),
  create: async (document, client) => (await client.clusterPoliciesCreate(document)).policy_id,
  update: async ({ id, document }, client) => {
    await client.clusterPoliciesEdit({ ...document, policy_id: id });
    return id;
  },
  delete: async (id, client) => {
    await nullIfAbsent(client.clusterPoliciesDelete({ policy_id: id }));
  },
  find: async (document, client) => {
    const { policies = [] } = await client.clusterPoliciesList({});
    return policies.filter(({ name }) => name === document.name).map((policy) => policy.policy_id);
  },
};
