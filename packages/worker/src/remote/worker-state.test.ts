import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openWorkerState } from './worker-state.ts';

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'worker-state-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** A process that came and went. */
function passThrough({ isSignedOn }: { readonly isSignedOn: boolean }): string {
  const state = openWorkerState(folder, 'ash');
  if (isSignedOn) state.signedOn();
  state.release();
  return state.instanceId;
}

test('a successor knows the one that was signed on, whoever came between without meeting a server', () => {
  passThrough({ isSignedOn: true });
  const signedOn = passThrough({ isSignedOn: true });
  const between = [passThrough({ isSignedOn: false }), passThrough({ isSignedOn: false })];

  const next = openWorkerState(folder, null);

  expect(next.workerId).toBe('ash');
  expect(next.previousInstanceIds).toEqual([...between.toReversed(), signedOn]);
});

test('of very many that met no server the newest are kept, and the one that was signed on', () => {
  const signedOn = passThrough({ isSignedOn: true });
  const between = Array.from({ length: 40 }, () => passThrough({ isSignedOn: false }));

  const { previousInstanceIds } = openWorkerState(folder, null);

  expect(previousInstanceIds).toEqual([...between.toReversed().slice(0, 19), signedOn]);
});

test('a copy of the folder succeeds nobody', () => {
  passThrough({ isSignedOn: true });
  const copy = `${folder}-copy`;
  fs.cpSync(folder, copy, { recursive: true });

  expect(openWorkerState(copy, null).previousInstanceIds).toEqual([]);
  fs.rmSync(copy, { recursive: true });
});
