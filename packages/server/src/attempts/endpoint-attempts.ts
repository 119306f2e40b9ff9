/** Attempts of SQL endpoints, as SQL tells them from those of tasks: they take none of their worker's slots. */
import { endpointLabel } from '@headrace/core';

/** Of the labels that an attempt asks for. */
export function isEndpoint(labels: string): string {
  return `coalesce(${labels} ? '${endpointLabel}', false)`;
}
