import { expect, test } from 'vitest';
import { parseKubernetesPlace } from './kubernetes-settings.ts';

test('a claim is enough; the rest has the names of deploy/kubernetes', () => {
  expect(parseKubernetesPlace('claim=headrace-state')).toEqual({
    claim: 'headrace-state',
    namespace: null,
    serviceAccount: 'headrace-host',
    hostsService: 'headrace-hosts',
    owner: null,
    lifetimeSecondsMax: null,
  });
});

test('everything can be named', () => {
  const text = 'claim=c, namespace=jobs,service-account=a,hosts-service=s,owner=headrace,lifetime-hours=24';

  expect(parseKubernetesPlace(text)).toEqual({
    ...{ claim: 'c', namespace: 'jobs', serviceAccount: 'a', hostsService: 's', owner: 'headrace' },
    lifetimeSecondsMax: 86_400,
  });
});

test.each([
  ['', 'nothing is none of its settings: claim'],
  ['namespace=x', 'claim=… is missing'],
  ['claim=Not_A_Name', 'claim=Not_A_Name is no name of Kubernetes'],
  ['claim=c,image=x', 'image=x is none of its settings'],
  ['claim=c,lifetime-hours=0', 'lifetime-hours=0 is no number of hours'],
])('%j is refused with the reason', (text, problem) => {
  expect(parseKubernetesPlace(text)).toContain(problem);
});
