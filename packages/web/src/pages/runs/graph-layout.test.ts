import { expect, test } from 'vitest';
import { type GraphTask, layOut, nodeHeight, nodeWidth } from './graph-layout.ts';

const task = (task_key: string, ...parents: readonly string[]): GraphTask => ({
  task_key,
  depends_on: parents.map((parent) => ({ task_key: parent })),
});

const diamond = [task('land'), task('left', 'land'), task('right', 'land'), task('publish', 'left', 'right')];

test('a task stands to the right of what it depends on', () => {
  const { nodes, edges } = layOut(diamond);

  expect(edges.map(({ from, to }) => `${from} ${to}`).sort()).toEqual([
    'land left',
    'land right',
    'left publish',
    'right publish',
  ]);
  for (const { from, to } of edges) {
    expect((nodes.get(from)?.x ?? 0) + nodeWidth).toBeLessThan(nodes.get(to)?.x ?? 0);
  }
});

test('no two tasks cover each other and all are inside', () => {
  const wide = [task('root'), ...Array.from({ length: 30 }, (_, at) => task(`leaf_${at}`, 'root'))];

  const { nodes, width, height } = layOut(wide);

  const places = [...nodes.values()];
  expect(places).toHaveLength(31);
  for (const [at, place] of places.entries()) {
    expect(place.x).toBeGreaterThanOrEqual(0);
    expect(place.x + nodeWidth).toBeLessThanOrEqual(width);
    expect(place.y + nodeHeight).toBeLessThanOrEqual(height);
    for (const other of places.slice(at + 1)) {
      const isApart = Math.abs(place.x - other.x) >= nodeWidth || Math.abs(place.y - other.y) >= nodeHeight;
      expect(isApart).toBe(true);
    }
  }
});

test('a dependency that follows from others draws no line', () => {
  const { edges } = layOut([...diamond, task('alert', 'land', 'left', 'right', 'publish')]);

  expect(edges.filter(({ to }) => to === 'alert').map(({ from }) => from)).toEqual(['publish']);
});

test('a dependency on a task that is not of this run draws nothing', () => {
  const { nodes, edges } = layOut([task('left', 'gone')]);

  expect([...nodes.keys()]).toEqual(['left']);
  expect(edges).toEqual([]);
});

test('an empty run has an empty graph', () => {
  expect(layOut([]).nodes.size).toBe(0);
});

test('the branches of a condition carry their words, each in the gap before its task', () => {
  const branch = (key: string, outcome: string): GraphTask => ({
    task_key: key,
    depends_on: [{ task_key: 'check', outcome }],
  });
  const after = {
    task_key: 'after',
    depends_on: [{ task_key: 'check', outcome: 'true' }, { task_key: 'yes' }],
  };

  const { nodes, edges } = layOut([task('check'), branch('yes', 'true'), branch('no', 'false'), after]);

  const words = edges.map(({ from, to, branch: word }) => [`${from} ${to}`, word?.outcome]);
  // The way from the condition to `after` stays, although `yes` lies between: it says which branch.
  expect(Object.fromEntries(words)).toEqual({
    'check yes': 'true',
    'check no': 'false',
    'check after': 'true',
    'yes after': undefined,
  });
  const right = (nodes.get('check')?.x ?? 0) + nodeWidth;
  for (const { to, branch: word } of edges) {
    if (!word) continue;
    expect(word.x).toBeGreaterThan(right);
    expect(word.x).toBeLessThan(nodes.get(to)?.x ?? 0);
  }
});

test('an edge that passes a layer goes around its nodes', () => {
  const { nodes, edges } = layOut([
    task('a'),
    task('b', 'a'),
    task('c', 'b'),
    task('d', 'a'),
    task('e', 'c', 'd'),
  ]);

  const [long] = edges
    .filter(({ from, to }) => from === 'd' || to === 'd')
    .sort((one, other) => other.path.length - one.path.length);
  const between = [...nodes].filter(([key]) => key === 'b' || key === 'c').map(([, at]) => at);
  const stops = [...(long?.path ?? '').matchAll(/([\d.]+) ([\d.]+)(?= C|$)/g)].map((each) => ({
    x: Number(each[1]),
    y: Number(each[2]),
  }));

  expect(stops.length).toBeGreaterThan(2);
  for (const { x, y } of stops) {
    const isInside = between.some(
      (at) => x > at.x && x < at.x + nodeWidth && y > at.y && y < at.y + nodeHeight,
    );
    expect(isInside).toBe(false);
  }
});
