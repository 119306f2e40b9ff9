/** What the sizes of warehouses mean as clusters: so many workers of one node type, each of 2 cores and 8 GB. */
import type { clusterSizes, NewCluster, WarehouseFields } from '@headrace/api';

type ClusterSize = (typeof clusterSizes)[number];

const workersOf: Readonly<Record<ClusterSize, number>> = {
  '2X-Small': 1,
  'X-Small': 2,
  Small: 4,
  Medium: 8,
  Large: 16,
  'X-Large': 32,
  '2X-Large': 64,
  '3X-Large': 128,
  '4X-Large': 256,
};
const nodeType = 'headrace.small';

export const clusterSizeDefault: ClusterSize = '2X-Small';

/** As hosted, where a warehouse does not say. */
export const autoStopMinutesDefault = 120;

export function toClusterSpec({ name, cluster_size: size }: WarehouseFields): NewCluster {
  return {
    cluster_name: `SQL warehouse ${name ?? ''}`.trim(),
    node_type_id: nodeType,
    num_workers: workersOf[size ?? clusterSizeDefault],
  };
}
