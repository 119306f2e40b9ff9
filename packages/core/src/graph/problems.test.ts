import { describe, expect, test } from 'vitest';
import { findGraphProblems } from './problems.ts';

const node = (key: string, ...dependsOn: string[]) => ({ key, dependsOn });

describe('a graph is refused with the offending keys named', () => {
  test('cycle, in the order of its arrows', () => {
    const [problem] = findGraphProblems([node('a'), node('b', 'a', 'd'), node('c', 'b'), node('d', 'c')]);

    expect(problem).toMatchObject({ kind: 'cycle' });
    expect(problem?.message).toMatch(/circle: (b → c → d → b|c → d → b → c|d → b → c → d)$/);
  });

  test('unknown key, own key, doubled key', () => {
    const kinds = findGraphProblems([node('a', 'x'), node('b', 'b'), node('b')]).map((each) => [
      each.kind,
      ...each.keys,
    ]);

    expect(kinds).toEqual([
      ['duplicate_key', 'b'],
      ['unknown_dependency', 'a', 'x'],
      ['self_dependency', 'b'],
    ]);
  });

  test('a chain of 1,000 tasks is sound and does not exhaust the stack', () => {
    const chain = Array.from({ length: 1_000 }, (_, at) =>
      at === 0 ? node('t0') : node(`t${at}`, `t${at - 1}`),
    );

    expect(findGraphProblems(chain)).toEqual([]);
  });
});
