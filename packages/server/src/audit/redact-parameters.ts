/**
 * What an audit row may say about a request: short plain values by name. Nested values are counted, not copied: any
 * of them may hold a secret that a user wrote there (environment variables, configuration, parameters).
 */
const secretName =
  /token|secret|password|credential|content|^(string|bytes)_value$|^(code|data)$|parameters|params/i;
/** Names that the pattern above hits and that say only which thing was meant. */
const harmlessNames = new Set(['token_id', 'direct_download', 'omit_properties']);
/** A URL that is refused because a token stands in it must not put that into the log. */
const loginInUrl = /(:\/\/)[^/@\s]*@/g;
/** Lists of which each entry says only which thing was meant. */
const nameLists = new Set(['references']);
const textCharsMax = 300;
const namesMax = 50;

export function redactParameters(parameters: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(parameters)
      .slice(0, namesMax)
      .map(([name, value]) => [name.slice(0, textCharsMax).toWellFormed(), redactValue(name, value)]),
  );
}

function redactValue(name: string, value: unknown): unknown {
  if (secretName.test(name) && !harmlessNames.has(name)) return '(not recorded)';
  if (typeof value === 'string') {
    const text = value.slice(0, textCharsMax).toWellFormed().replaceAll('\0', '');
    return text.replace(loginInUrl, '$1(not recorded)@');
  }
  if (Array.isArray(value)) return nameLists.has(name) ? listNames(value) : `(${value.length} entries)`;
  if (typeof value === 'object' && value !== null) return `(${Object.keys(value).length} fields)`;
  return value ?? null;
}

function listNames(values: readonly unknown[]): string {
  const names = values.filter((value) => typeof value === 'string').join(', ');
  return names.slice(0, textCharsMax).toWellFormed().replaceAll('\0', '');
}
