import fc from 'fast-check';
import { expect, test } from 'vitest';
import { hasReference } from './reference-paths.ts';
import { findReferenceProblems, type ReferenceScope, resolveReferences } from './references.ts';

/** Pieces that come close to being references; any of them may also stand next to any other. */
const piece = fc.oneof(
  fc.constantFrom('{', '{{', '}', '}}', '`', '.', ' ', 'job', 'job.id', 'input', 'tasks.a.values.b', 'naem'),
  fc.string({ unit: 'grapheme', maxLength: 5 }),
);
const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));

function scopeWith(value: string): ReferenceScope {
  return {
    job: {
      id: 1,
      name: value,
      runId: 2,
      repairCount: 0,
      startTimeMs: 0,
      parameters: { p: value },
      trigger: { type: 'one_time', timeMs: 0 },
    },
    task: { name: 't', runId: 3, executionCount: 1, retryCount: 0, notebookPath: null },
    tasks: new Map([
      ['a', { runId: 4, resultState: null, executionCount: 1, errorCode: null, values: { b: value } }],
    ]),
    workspace: { id: '1', url: value },
    input: value,
  };
}

test('a text without references stays as it is', () => {
  fc.assert(
    fc.property(
      text.filter((candidate) => !hasReference(candidate)),
      text,
      (plain, value) => {
        expect(resolveReferences(plain, scopeWith(value))).toBe(plain);
        expect(findReferenceProblems(plain)).toEqual([]);
      },
    ),
  );
});

test('what a reference gives is never resolved again', () => {
  const reference = fc.constantFrom(
    '{{job.name}}',
    '{{job.parameters.p}}',
    '{{tasks.a.values.b}}',
    '{{ input }}',
    '{{workspace.url}}',
  );
  fc.assert(
    fc.property(fc.array(reference, { minLength: 1, maxLength: 4 }), text, (references, value) => {
      expect(resolveReferences(references.join('|'), scopeWith(value))).toBe(
        references.map(() => value).join('|'),
      );
    }),
  );
});

test('a reference that is a problem is never replaced', () => {
  const name = fc.constantFrom(
    'job',
    'task',
    'tasks',
    'backfill',
    'time',
    'trigger',
    'values',
    'output',
    'id',
    'a',
  );
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), (names) => {
      const reference = `{{${names.join('.')}}}`;
      if (findReferenceProblems(reference).length > 0)
        expect(resolveReferences(reference, scopeWith('x'))).toBe(reference);
    }),
    { numRuns: 1_000 },
  );
});

test('a text made to be slow takes time in proportion to its length', () => {
  // In quadratic time this would not end before the test does.
  for (const part of ['{{', '{{`', '{{a.', '{{ ', '{{`a`.', '{{`.`']) {
    const hostile = part.repeat(200_000);
    expect(resolveReferences(hostile, scopeWith('x'))).toBe(hostile);
  }
});
