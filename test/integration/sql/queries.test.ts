/** Saved queries over the API. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../../support/server.ts';
import { addUser } from '../secrets/support.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ backend: null });
});
afterAll(() => server.dispose());

const query_text = 'select * from t where day = :day and n > {{n}}';
const parameters = [
  {
    name: 'day',
    title: 'Day',
    date_value: { dynamic_date_value: 'YESTERDAY' as const, precision: 'DAY_PRECISION' as const },
  },
  { name: 'n', numeric_value: { value: 1.5 }, hue: 'kept' },
];

test('a query comes back as it was written, with who made it and when', async () => {
  const { client } = server;

  const made = await client.queriesCreate({
    query: {
      display_name: 'daily',
      query_text,
      parameters,
      tags: ['a'],
      parent_path: '/Users/ada/',
      colour: 3,
    },
  });

  expect(made).toMatchObject({
    display_name: 'daily',
    query_text,
    parameters,
    tags: ['a'],
    colour: 3,
    parent_path: '/Workspace/Users/ada',
    lifecycle_state: 'ACTIVE',
    create_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
  });
  expect(made.last_modifier_user_name).toBe(made.owner_user_name);
  expect(await client.queriesGet({ id: made.id })).toEqual(made);
});

test('a name is taken within its folder, and a free one is found where that is asked for', async () => {
  const { client } = server;
  const query = { display_name: 'same', parent_path: '/Shared' };
  await client.queriesCreate({ query });

  const elsewhere = await client.queriesCreate({ query: { ...query, parent_path: '/Shared/b' } });
  const resolved = await Promise.all(
    [1, 2, 3].map(() => client.queriesCreate({ query, auto_resolve_display_name: true })),
  );

  await expect(client.queriesCreate({ query })).rejects.toMatchObject({ code: 'RESOURCE_ALREADY_EXISTS' });
  expect(elsewhere.display_name).toBe('same');
  expect(resolved.map(({ display_name }) => display_name).sort()).toEqual([
    'same (1)',
    'same (2)',
    'same (3)',
  ]);
});

test('an update changes what its mask names, and clears what the query then lacks', async () => {
  const { client } = server;
  const { id } = await client.queriesCreate({
    query: {
      display_name: 'changing',
      query_text: 'select 1',
      description: 'old',
      catalog: 'dev',
      parameters,
    },
  });

  const changed = await client.queriesUpdate({
    id,
    query: { query_text: 'select 2', display_name: 'not in the mask' },
    update_mask: 'query_text, description',
  });
  const all = await client.queriesUpdate({
    id,
    query: { schema: 's', display_name: 'renamed' },
    update_mask: '*',
  });

  expect(changed).toMatchObject({
    query_text: 'select 2',
    display_name: 'changing',
    catalog: 'dev',
    parameters,
  });
  expect(changed).not.toHaveProperty('description');
  expect(all).toMatchObject({ display_name: 'renamed', schema: 's', catalog: 'dev', query_text: 'select 2' });
});

test('a query in the trash is no more listed or changed, and its name is free', async () => {
  const { client } = server;
  const query = { display_name: 'thrown away' };
  const { id } = await client.queriesCreate({ query });

  await client.queriesDelete({ id });
  await client.queriesDelete({ id });

  const listed = await client.queriesList({ page_size: 100 });
  expect(listed.results.map((each) => each.id)).not.toContain(id);
  expect(await client.queriesGet({ id })).toMatchObject({ lifecycle_state: 'TRASHED' });
  await expect(
    client.queriesUpdate({ id, query: { description: 'x' }, update_mask: 'description' }),
  ).rejects.toMatchObject({ code: 'INVALID_STATE' });
  await client.queriesCreate({ query });
});

test('pages show each query once, newest first', async () => {
  const { client } = server;
  for (let n = 0; n < 5; n++) await client.queriesCreate({ query: { display_name: `page ${n}` } });

  const seen: { id: string; display_name: string }[] = [];
  let page_token: string | undefined = '';
  while (page_token !== undefined) {
    const page: Awaited<ReturnType<typeof client.queriesList>> = await client.queriesList({
      page_size: 2,
      page_token,
    });
    seen.push(...page.results);
    page_token = page.next_page_token;
  }

  expect(new Set(seen.map(({ id }) => id)).size).toBe(seen.length);
  expect(seen.map((each) => each.display_name).filter((name) => name.startsWith('page '))).toEqual(
    [4, 3, 2, 1, 0].map((n) => `page ${n}`),
  );
});

test('everybody reads a query, its owner and administrators change it, and an owner can be named', async () => {
  const { client } = server;
  const { client: bob } = await addUser(server, 'bob@example.com');
  const { id } = await client.queriesCreate({ query: { display_name: 'mine' } });

  await expect(bob.queriesDelete({ id })).rejects.toMatchObject({ code: 'PERMISSION_DENIED' });
  expect(await bob.queriesGet({ id })).toMatchObject({ display_name: 'mine' });
  const given = await client.queriesUpdate({
    id,
    query: { owner_user_name: 'bob@example.com' },
    update_mask: 'owner_user_name',
  });
  await bob.queriesDelete({ id });

  expect(given.owner_user_name).toBe('bob@example.com');
});

test.each([
  [
    { query: { parameters: [{ name: 'a' }, { name: 'a' }] } },
    "query.parameters[1]: 'a' is used more than once",
  ],
  [
    { query: { parameters: [{ name: 'a', text_value: { value: '1' }, numeric_value: { value: 1 } }] } },
    'query.parameters[0]: has several values (text_value, numeric_value); keep one',
  ],
  [{ query: { parent_path: 'no/slash' } }, 'query.parent_path: begins with a slash'],
])('%j is refused in words', async (request, message) => {
  await expect(server.client.queriesCreate(request)).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
    message: expect.stringContaining(message),
  });
});

test('what is not there, and a mask of unknown fields, are refused', async () => {
  const { client } = server;
  const { id } = await client.queriesCreate({ query: { display_name: 'masked' } });

  await expect(client.queriesGet({ id: 'nope' })).rejects.toMatchObject({
    code: 'RESOURCE_DOES_NOT_EXIST',
    message: 'Query nope does not exist.',
  });
  await expect(client.queriesUpdate({ id, update_mask: 'hue' })).rejects.toMatchObject({
    message: expect.stringContaining("update_mask: 'hue' is none of"),
  });
  await expect(client.queriesList({ page_token: 'x' })).rejects.toMatchObject({
    code: 'INVALID_PARAMETER_VALUE',
  });
});
