import type { SecretMetadata, SecretScope } from '@headrace/api';

export function toSecretScope({ name }: { readonly name: string }): SecretScope {
  return { name, backend_type: 'DATABRICKS' };
}

export function toSecretMetadata(row: {
  readonly key: string;
  readonly updatedAtMs: number;
}): SecretMetadata {
  return { key: row.key, last_updated_timestamp: row.updatedAtMs };
}
