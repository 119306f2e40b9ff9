/** Who the caller is. */
import { z } from 'zod';
import { route } from './route.ts';

const ComplexValue = z.looseObject({
  value: z.string().optional(),
  display: z.string().optional(),
  primary: z.boolean().optional(),
  type: z.string().optional(),
});

export const User = z.looseObject({
  id: z.string(),
  userName: z.string(),
  displayName: z.string().optional(),
  active: z.boolean(),
  name: z.looseObject({ givenName: z.string().optional(), familyName: z.string().optional() }).optional(),
  emails: z.array(ComplexValue).optional(),
  groups: z.array(ComplexValue).optional(),
  entitlements: z.array(ComplexValue).optional(),
  roles: z.array(ComplexValue).optional(),
  schemas: z.array(z.string()).optional(),
});
export type User = z.output<typeof User>;

export const currentUserMe = route({
  method: 'GET',
  path: '/api/2.0/preview/scim/v2/Me',
  summary: 'Says who the caller is.',
  request: z.object({ attributes: z.string().optional(), excludedAttributes: z.string().optional() }),
  response: User,
  permission: 'user',
  audit: 'users.me',
});
