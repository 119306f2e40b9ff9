import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findOtherHosts } from './find-other-hosts.ts';

let stateFolder: string;
beforeEach(() => {
  stateFolder = fs.mkdtempSync(path.join(os.tmpdir(), 'other-'));
});
afterEach(() => fs.rmSync(stateFolder, { recursive: true, force: true }));

const find = (backend: string) =>
  findOtherHosts({ backend, stateFolder, hostsFolder: path.join(stateFolder, 'hosts') });
function write(file: string, document: object) {
  fs.mkdirSync(path.join(stateFolder, path.dirname(file)), { recursive: true });
  fs.writeFileSync(path.join(stateFolder, file), JSON.stringify(document));
}
/** This process, as a host would write it. */
function thisProcess() {
  const stat = fs.readFileSync('/proc/self/stat', 'utf8');
  const startTime = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  return { pid: process.pid, start_time: startTime, host_key: 'k', cluster_id: 'c', version: 1 };
}

test('a folder without hosts is good for any backend', () => {
  for (const backend of ['local', 'spark-standalone', 'kubernetes']) expect(find(backend)).toBeNull();
});

test('Pods whose end is not proven keep any other backend from starting', () => {
  write('pods/headrace-k-1/pod.json', { name: 'headrace-k-1' });

  expect(find('local')).toMatch(/HEADRACE_BACKEND=local, .*\(kubernetes\) have not ended: headrace-k-1\. /);
  expect(find('spark-standalone')).not.toBeNull();
  expect(find('kubernetes')).toBeNull();
});

test('Pods that have ended, or that were never led, keep nobody from starting', () => {
  write('pods/headrace-k-1/pod.json', { name: 'headrace-k-1', death: 'it ended' });
  write('pods/headrace-k-2/pod.json', { name: 'headrace-k-2', isAbandoned: true });

  expect(find('local')).toBeNull();
});

test.runIf(fs.existsSync('/proc/self/stat'))('processes that live keep Pods from starting', () => {
  write('hosts/k/host.json', thisProcess());

  expect(find('kubernetes')).toMatch(/\(local or spark-standalone\) have not ended: k\. /);
  expect(find('local')).toBeNull();
  write('hosts/k/host.json', { ...thisProcess(), start_time: 1 });
  expect(find('kubernetes')).toBeNull();
});
