// Changes by hand, told from changes in the files by the document that was sent last.

import type { AdoptedField, DeployedResource } from './deployment-state.ts';
import { type DocumentPath, formatPath, readAt, writeAt } from './document-path.ts';
import { type ComparisonRules, findDifferences } from './find-differences.ts';
import type { Document, PlannedDifference } from './planned-action.ts';

interface Compared {
  readonly remote: Document;
  readonly wanted: Document;
  /** null: unknown, then every difference counts as one of the files. */
  readonly sent: Document | null;
  readonly rules: ComparisonRules;
  readonly recreateOn: readonly string[];
}

export function comparePlanned({ remote, wanted, sent, rules, recreateOn }: Compared): PlannedDifference[] {
  const differences = findDifferences(remote, wanted, rules);
  if (differences.length === 0) return [];
  const changed = sent === null ? null : findDifferences(sent, wanted, rules).map(({ path }) => path);
  return differences.map((difference) => ({
    ...difference,
    origin: changed === null || changed.some((path) => overlap(path, difference.path)) ? 'files' : 'hand',
    recreates: recreateOn.includes(String(difference.steps[0])),
  }));
}

function overlap(one: string, other: string): boolean {
  const [short, long] = one.length < other.length ? [one, other] : [other, one];
  return long === short || (long.startsWith(short) && '.['.includes(long.charAt(short.length)));
}

export interface Adoption {
  /** What the files say, with the kept fields in their places. */
  readonly document: Document;
  readonly adopted: readonly AdoptedField[];
}

/** Fields that were left so stay, as long as the files say of them what they said then. */
export function keepAdopted(document: Document, recorded: DeployedResource | undefined): Adoption {
  const adopted = (recorded?.adopted ?? []).filter(({ steps, file }) =>
    isSame(readAt(document, steps), file),
  );
  return { document: keepFields(document, adopted), adopted };
}

/** @param filled the document with the ids of resources in their places, as it was compared */
export function adopt(
  adoption: Adoption,
  compared: { readonly remote: Document; readonly wanted: Document },
  differences: readonly PlannedDifference[],
): Adoption {
  const paths = new Map(differences.map(({ steps }) => [formatPath(toWhole(steps)), toWhole(steps)]));
  const added = [...paths].map(([path, steps]): AdoptedField => {
    const before = adoption.adopted.find((field) => field.path === path);
    return {
      path,
      steps: [...steps],
      file: before === undefined ? readAt(adoption.document, steps) : before.file,
      kept: readAt(compared.remote, steps),
    };
  });
  const adopted = [...adoption.adopted.filter(({ path }) => !paths.has(path)), ...added];
  return { document: keepFields(adoption.document, added), adopted };
}

/** Of a list without identities all is kept or nothing: positions mean nothing once another has changed it. */
function toWhole(steps: DocumentPath): DocumentPath {
  const list = steps.findIndex((step) => typeof step === 'number');
  return list < 0 ? steps : steps.slice(0, list);
}

function keepFields(document: Document, adopted: readonly AdoptedField[]): Document {
  return adopted.reduce<unknown>(
    (kept, field) => writeAt(kept, field.steps, field.kept),
    document,
  ) as Document; // an object stays one
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
