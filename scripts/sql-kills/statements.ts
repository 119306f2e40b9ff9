/** Every kind of statement that writes, each on a schema of its own, slow enough to be killed half-way where it has rows. */

export interface WritingStatement {
  readonly name: string;
  /** Before it, in a schema that holds `t` with three old rows in one commit. */
  readonly prepare?: (schema: string) => readonly string[];
  readonly text: (schema: string) => string;
  /** It works on rows before its commit. */
  readonly isLong?: true;
  /** Whether it makes one in a log of Delta's; true unless told. */
  readonly commits?: false;
}

/** True of every row, after a while that no optimizer can take out: some 0.1 s. */
function slowly(column: string): string {
  return `aggregate(sequence(0L, 400000L + ${column} % 2), 0L, (a, x) -> (a + x) % 7) >= 0`;
}

const newRows = `select id, 'new' as v from range(0, 8, 1, 8) where ${slowly('id')}`;
const matched = 'on t.id = s.id when matched then update set * when not matched then insert *';

export const writingStatements: readonly WritingStatement[] = [
  {
    name: 'create-table',
    text: (schema) =>
      `create table ${schema}.made (id bigint comment 'the key', v string) tblproperties ('purpose' = 'kills')`,
  },
  { name: 'create-table-as', isLong: true, text: (schema) => `create table ${schema}.made as ${newRows}` },
  {
    name: 'create-or-replace-as',
    isLong: true,
    text: (schema) => `create or replace table ${schema}.t as select *, 1 as more from (${newRows})`,
  },
  {
    name: 'insert',
    isLong: true,
    text: (schema) => `insert into ${schema}.t select id + 10, v from (${newRows})`,
  },
  { name: 'insert-overwrite', isLong: true, text: (schema) => `insert overwrite ${schema}.t ${newRows}` },
  {
    name: 'merge',
    isLong: true,
    text: (schema) => `merge into ${schema}.t t using (${newRows}) s ${matched}`,
  },
  {
    name: 'merge-with-evolution',
    isLong: true,
    text: (schema) =>
      `merge with schema evolution into ${schema}.t t using (select *, 1 as more from (${newRows})) s ${matched}`,
  },
  {
    name: 'update',
    isLong: true,
    prepare: (schema) => [`insert into ${schema}.t select id, 'old' from range(3, 8, 1, 5)`],
    text: (schema) => `update ${schema}.t set v = 'new' where ${slowly('id')}`,
  },
  {
    name: 'delete',
    isLong: true,
    prepare: (schema) => [`insert into ${schema}.t select id, 'old' from range(3, 8, 1, 5)`],
    text: (schema) => `delete from ${schema}.t where id % 2 = 0 and ${slowly('id')}`,
  },
  {
    name: 'add-column',
    text: (schema) => `alter table ${schema}.t add columns (more int comment 'added')`,
  },
  {
    name: 'set-properties',
    text: (schema) => `alter table ${schema}.t set tblproperties ('purpose' = 'kills')`,
  },
  { name: 'rename', commits: false, text: (schema) => `alter table ${schema}.t rename to ${schema}.renamed` },
  { name: 'drop', commits: false, text: (schema) => `drop table ${schema}.t` },
  {
    name: 'undrop',
    commits: false,
    prepare: (schema) => [`drop table ${schema}.t`],
    text: (schema) => `undrop table ${schema}.t`,
  },
  {
    name: 'optimize',
    prepare: (schema) => [`insert into ${schema}.t select id, 'old' from range(3, 8, 1, 5)`],
    text: (schema) => `optimize ${schema}.t`,
  },
  { name: 'truncate', text: (schema) => `truncate table ${schema}.t` },
  {
    name: 'restore',
    prepare: (schema) => [
      `create or replace table ${schema}.t as select id, 'newer' as v, 1 as more from range(5)`,
    ],
    text: (schema) => `restore table ${schema}.t to version as of 0`,
  },
  { name: 'create-schema', commits: false, text: (schema) => `create schema ${schema}_more comment 'made'` },
  { name: 'drop-schema', commits: false, text: (schema) => `drop schema ${schema} cascade` },
  {
    name: 'create-view',
    commits: false,
    text: (schema) => `create view ${schema}.seen as select id from ${schema}.t`,
  },
  {
    name: 'replace-view',
    commits: false,
    prepare: (schema) => [`create view ${schema}.seen as select id from ${schema}.t`],
    text: (schema) => `create or replace view ${schema}.seen as select id, v from ${schema}.t`,
  },
];
