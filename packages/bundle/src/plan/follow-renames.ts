// Catalogs and schemas that get another name in place: what lies in them moves with them, and is neither made anew nor
// changed by hand.

import type { ResourceKind } from '../resolve/resource-kinds.ts';
import type { Document } from './planned-action.ts';

export class Renames {
  /** `lake` → `sea`; `sea.bronze` → `sea.silver`: of a schema, with its catalog's new name. */
  private readonly names = new Map<string, string>();

  /** The document of something once what it lies in has its new name. */
  follow(kind: ResourceKind, document: Document): Document {
    if (this.names.size === 0 || (kind !== 'schemas' && kind !== 'volumes')) return document;
    const { catalog_name: before, schema_name: schema } = document;
    const catalog = this.names.get(String(before)) ?? before;
    if (kind === 'schemas') return { ...document, catalog_name: catalog };
    const moved = this.names.get(`${catalog}.${schema}`)?.split('.').at(-1) ?? schema;
    return { ...document, catalog_name: catalog, schema_name: moved };
  }

  note(kind: ResourceKind, names: { readonly before: string; readonly after: string }): void {
    if (kind === 'catalogs' || kind === 'schemas') this.names.set(names.before, names.after);
  }
}

/** Of these kinds the id is the full name. */
export function isIdByName(kind: ResourceKind): boolean {
  return kind === 'catalogs' || kind === 'schemas' || kind === 'volumes';
}
