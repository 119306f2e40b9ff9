/** `HEADRACE_KUBERNETES`: where the Pods of hosts go, as `claim=headrace-state,namespace=…`. */

export interface KubernetesPlace {
  readonly claim: string;
  readonly namespace: string | null;
  readonly serviceAccount: string;
  readonly hostsService: string;
  readonly owner: string | null;
  readonly lifetimeSecondsMax: number | null;
}

/** As the API takes names. */
const objectName = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const names = ['claim', 'namespace', 'service-account', 'hosts-service', 'owner', 'lifetime-hours'] as const;
const lifetimeHoursMax = 24 * 366;

/** The place, or what is wrong in a sentence. */
export function parseKubernetesPlace(text: string): KubernetesPlace | string {
  const given = new Map<string, string>();
  for (const part of text.split(',').map((one) => one.trim())) {
    const [name = '', value = ''] = part.split('=', 2);
    if (!(names as readonly string[]).includes(name))
      return `${part || 'nothing'} is none of its settings: ${names.join(', ')}`;
    const isHours = name === 'lifetime-hours';
    const isValid = isHours ? /^\d+$/.test(value) && isWithin(Number(value)) : objectName.test(value);
    if (!isValid)
      return `${name}=${value} is no ${isHours ? `number of hours from 1 to ${lifetimeHoursMax}` : 'name of Kubernetes'}`;
    given.set(name, value);
  }
  const claim = given.get('claim');
  if (claim === undefined) return 'claim=… is missing: the PersistentVolumeClaim that holds the state folder';
  const hours = given.get('lifetime-hours');
  return {
    claim,
    namespace: given.get('namespace') ?? null,
    serviceAccount: given.get('service-account') ?? 'headrace-host',
    hostsService: given.get('hosts-service') ?? 'headrace-hosts',
    owner: given.get('owner') ?? null,
    lifetimeSecondsMax: hours === undefined ? null : Number(hours) * 3600,
  };
}

const isWithin = (hours: number) => hours >= 1 && hours <= lifetimeHoursMax;
