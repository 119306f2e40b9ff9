/** Where a principal may deploy to: not into the home folders of others, unless it is an administrator. */
import { ApiError } from '@headrace/api';
import type { Principal } from '../context.ts';

const homes = '/Users/';

export function requireOwnPlaces(principal: Principal, paths: readonly string[]): void {
  if (principal.isAdmin) return;
  const own = `${homes}${principal.userName}`;
  const foreign = paths.find((path) => path.startsWith(homes) && path !== own && !path.startsWith(`${own}/`));
  if (foreign === undefined) return;
  throw new ApiError(
    'PERMISSION_DENIED',
    `${principal.userName} may not deploy to ${foreign}: it is in the home folder of somebody else`,
  );
}
