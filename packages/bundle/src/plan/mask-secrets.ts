// Values that look like secrets are shown nowhere: neither on a screen nor in a plan that is kept as a file.

import { isFields } from './document-path.ts';

const MASK = '[REDACTED]';
const SECRET_NAME =
  /(?:^|[._-])(?:password|passwd|pwd|secret|token|api[._-]?key|access[._-]?key|account[._-]?key|private[._-]?key|credentials?)(?:$|[._-])/i;
/** `{{secrets/scope/key}}` is only a name. */
const REFERENCE = /^\s*\{\{\s*secrets\/[^}]*\}\}\s*$/;

/** @param name of the field that holds the value */
export function maskSecrets(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((element) => maskSecrets(element, name));
  if (isFields(value))
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, maskSecrets(inner, key)]));
  return typeof value === 'string' && isSecretName(name) && !REFERENCE.test(value) ? MASK : value;
}

/** `spark.hadoop.fs.azure.account.key.x`, `DB_PASSWORD`, `apiKey`. */
function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name.replaceAll(/([a-z])([A-Z])/g, '$1_$2'));
}
