import { ApiError } from '@headrace/api';

type Kind = 'Catalog' | 'Schema' | 'Table' | 'Volume' | 'Function';

export const missing = (kind: Kind, name: string) =>
  new ApiError('RESOURCE_DOES_NOT_EXIST', `${kind} '${name}' does not exist.`);

export const taken = (kind: Kind, name: string) =>
  new ApiError('RESOURCE_ALREADY_EXISTS', `${kind} '${name}' already exists.`);

export const notEmpty = (kind: Kind, name: string, content: string) =>
  new ApiError(
    'INVALID_STATE',
    `${kind} '${name}' is not empty: it has ${content}. Pass force=true to delete it with its content.`,
  );
