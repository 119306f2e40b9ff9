/** What an unknown path gets: "not found", or, where hosted clients know an endpoint that we lack, "not yet". */
import { ApiError } from '@headrace/api';

/** First path segments of the public API (2.x) below which clients call things that Headrace does not answer yet. */
const knownAreas = [
  'alerts bundle clusters commands contexts dbfs fs git-credentials global-init-scripts instance-pools',
  'instance-profiles jobs lakeview libraries lineage-tracking mlflow notification-destinations permissions pipelines',
  'policies policy-families preview repos secrets sql token token-management unity-catalog workspace workspace-conf',
].flatMap((line) => line.split(' '));

export function notImplemented(method: string, url: string): ApiError {
  const path = url.split('?')[0] ?? url;
  const area = /^\/api\/[12]\.\d\/([a-z-]+)\//.exec(path)?.[1];
  if (area !== undefined && knownAreas.includes(area)) {
    return new ApiError('NOT_IMPLEMENTED', `Headrace does not answer ${method} ${path} yet`);
  }
  return new ApiError('ENDPOINT_NOT_FOUND', `there is no ${method} ${path}`);
}
