/**
 * Cores and memory of well-known node types, from the providers' public pages (November 2026). They say how a cluster is
 * shown and priced; on one machine they change nothing, and a name that is not here is taken all the same.
 */
import type { NodeType } from '@headrace/api';

interface Size {
  readonly cores: number;
  readonly memoryMb: number;
  readonly category:
    | 'General Purpose'
    | 'Memory Optimized'
    | 'Compute Optimized'
    | 'Storage Optimized'
    | 'GPU';
  readonly gpus: number;
}

const gb = 1024;
/** Of each line: 2, 4, 8, 16, 32 and 64 cores. */
const sizesOfLine = 6;

/** Names by family: each size doubles the one before it. */
const families: readonly {
  readonly names: readonly string[];
  readonly cores: number;
  readonly gbPerCore: number;
  readonly category: Size['category'];
}[] = [
  { ...aws('m5 m5d m6i m6id m7i'), cores: 2, gbPerCore: 4, category: 'General Purpose' },
  { ...aws('m6g m6gd m7g m7gd'), cores: 2, gbPerCore: 4, category: 'General Purpose' },
  { ...aws('r5 r5d r6i r6id r7i'), cores: 2, gbPerCore: 8, category: 'Memory Optimized' },
  { ...aws('r6g r6gd r7g r7gd'), cores: 2, gbPerCore: 8, category: 'Memory Optimized' },
  { ...aws('c5 c5d c6i c6id c7i'), cores: 2, gbPerCore: 2, category: 'Compute Optimized' },
  { ...aws('i3'), cores: 2, gbPerCore: 7.625, category: 'Storage Optimized' },
  { ...aws('i3en i4i'), cores: 2, gbPerCore: 8, category: 'Storage Optimized' },
  {
    ...azure('D', '_v3 s_v3 _v4 s_v4 _v5 s_v5 ds_v5 ads_v5'),
    cores: 2,
    gbPerCore: 4,
    category: 'General Purpose',
  },
  {
    ...azure('E', '_v3 s_v3 _v4 s_v4 _v5 s_v5 ds_v5 ads_v5'),
    cores: 2,
    gbPerCore: 8,
    category: 'Memory Optimized',
  },
  { ...azure('F', 's_v2'), cores: 2, gbPerCore: 2, category: 'Compute Optimized' },
  { ...azure('L', 's_v2 s_v3'), cores: 2, gbPerCore: 8, category: 'Storage Optimized' },
  {
    ...google('n1-standard n2-standard n2d-standard e2-standard'),
    cores: 2,
    gbPerCore: 4,
    category: 'General Purpose',
  },
  {
    ...google('n1-highmem n2-highmem n2d-highmem e2-highmem'),
    cores: 2,
    gbPerCore: 8,
    category: 'Memory Optimized',
  },
  { ...google('n1-highcpu n2-highcpu e2-highcpu'), cores: 2, gbPerCore: 1, category: 'Compute Optimized' },
];

const single: Readonly<Record<string, Size>> = {
  'headrace.small': { cores: 2, memoryMb: 8 * gb, category: 'General Purpose', gpus: 0 },
  'headrace.medium': { cores: 4, memoryMb: 16 * gb, category: 'General Purpose', gpus: 0 },
  'headrace.large': { cores: 8, memoryMb: 32 * gb, category: 'General Purpose', gpus: 0 },
  Standard_DS3_v2: { cores: 4, memoryMb: 14 * gb, category: 'General Purpose', gpus: 0 },
  Standard_DS4_v2: { cores: 8, memoryMb: 28 * gb, category: 'General Purpose', gpus: 0 },
  Standard_DS5_v2: { cores: 16, memoryMb: 56 * gb, category: 'General Purpose', gpus: 0 },
  Standard_NC6s_v3: { cores: 6, memoryMb: 112 * gb, category: 'GPU', gpus: 1 },
  'g4dn.xlarge': { cores: 4, memoryMb: 16 * gb, category: 'GPU', gpus: 1 },
  'p3.2xlarge': { cores: 8, memoryMb: 61 * gb, category: 'GPU', gpus: 1 },
};

const sizes: ReadonlyMap<string, Size> = new Map([
  ...Object.entries(single),
  ...families.flatMap(({ names, cores, gbPerCore, category }) =>
    names.map((name, index): [string, Size] => {
      // Each family lists its types from the smallest on, the sizes of one line after the other.
      const count = cores * 2 ** (index % sizesOfLine);
      return [name, { cores: count, memoryMb: Math.round(count * gbPerCore * gb), category, gpus: 0 }];
    }),
  ),
]);

function aws(lines: string) {
  const suffixes = ['large', 'xlarge', '2xlarge', '4xlarge', '8xlarge', '16xlarge'];
  return { names: lines.split(' ').flatMap((line) => suffixes.map((suffix) => `${line}.${suffix}`)) };
}

function azure(letter: string, versions: string) {
  const cores = [2, 4, 8, 16, 32, 64];
  return {
    names: versions.split(' ').flatMap((rest) => cores.map((count) => `Standard_${letter}${count}${rest}`)),
  };
}

function google(lines: string) {
  const cores = [2, 4, 8, 16, 32, 64];
  return { names: lines.split(' ').flatMap((line) => cores.map((count) => `${line}-${count}`)) };
}

export function findNodeSize(nodeTypeId: string): Size | null {
  return sizes.get(nodeTypeId) ?? null;
}

export function listNodeTypes(): NodeType[] {
  return [...sizes].map(([nodeTypeId, { cores, memoryMb, category, gpus }], index) => ({
    node_type_id: nodeTypeId,
    instance_type_id: nodeTypeId,
    description: nodeTypeId,
    category,
    num_cores: cores,
    memory_mb: memoryMb,
    num_gpus: gpus,
    display_order: index,
    is_deprecated: false,
    is_hidden: false,
    is_io_cache_enabled: false,
    is_graviton: /^[a-z]\d+g/.test(nodeTypeId),
    photon_worker_capable: false,
    photon_driver_capable: false,
    support_cluster_tags: true,
    support_ebs_volumes: false,
    support_port_forwarding: false,
    // Disks are those of the machine.
    node_instance_type: {
      instance_type_id: nodeTypeId,
      local_disks: 1,
      local_disk_size_gb: 0,
      local_nvme_disks: 0,
      local_nvme_disk_size_gb: 0,
    },
  }));
}

/**
 * Names that clients choose from. Whichever is asked for, the installed runtime runs; those with `LTS` in their name are
 * what helpers of public clients look for.
 */
export const sparkVersions = [
  { key: '17.3.x-scala2.13', name: '17.3 LTS (runs Apache Spark 4.2 here, Scala 2.13)' },
  { key: '16.4.x-scala2.13', name: '16.4 LTS (runs Apache Spark 4.2 here, Scala 2.13)' },
  { key: '16.4.x-scala2.12', name: '16.4 LTS (runs Apache Spark 4.2 here, Scala 2.13)' },
  { key: '15.4.x-scala2.12', name: '15.4 LTS (runs Apache Spark 4.2 here, Scala 2.13)' },
  { key: '14.3.x-scala2.12', name: '14.3 LTS (runs Apache Spark 4.2 here, Scala 2.13)' },
  { key: '13.3.x-scala2.12', name: '13.3 LTS (runs Apache Spark 4.2 here, Scala 2.13)' },
] as const;
