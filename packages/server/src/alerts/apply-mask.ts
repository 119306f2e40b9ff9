/** What `update_mask` names of a document: fields, also within fields (`evaluation.threshold`), or all that is given. */
import { ApiError } from '@headrace/api';

type Fields = Readonly<Record<string, unknown>>;

export interface Masked {
  /** Top-level fields of which something is named. */
  readonly named: readonly string[];
  readonly fields: Fields;
}

/** Named fields that are not given are cleared. */
export function applyMask(
  before: Fields,
  given: Fields,
  { mask, changeable, prefix }: { mask: string; changeable: readonly string[]; prefix: string },
): Masked {
  const paths = mask
    .split(',')
    .map((path) => path.trim())
    .map((path) => (path.startsWith(prefix) ? path.slice(prefix.length) : path))
    .filter((path) => path !== '');
  if (paths.length === 0) throw invalid('update_mask: names no field; name those to be changed, or *');
  const asked = paths.includes('*') ? Object.keys(given).filter((name) => changeable.includes(name)) : paths;
  const split = asked.map((path) => path.split('.'));
  const unknown = split.findIndex(([name = '']) => !changeable.includes(name));
  if (unknown !== -1) throw invalid(`update_mask: '${asked[unknown]}' is none of ${changeable.join(', ')}`);
  const fields = split.reduce<Fields>((kept, path) => place(kept, given, path), before);
  return { named: [...new Set(split.map(([name = '']) => name))], fields };
}

function place(before: Fields, given: Fields, [name = '', ...rest]: readonly string[]): Fields {
  const { [name]: old, ...others } = before;
  const value = rest.length === 0 ? given[name] : place(toFields(old), toFields(given[name]), rest);
  return value === undefined || value === null ? others : { ...others, [name]: value };
}

function toFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function invalid(message: string): ApiError {
  return new ApiError('INVALID_PARAMETER_VALUE', message);
}
