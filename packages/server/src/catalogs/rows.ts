/** What the rows of the metastore share. */
export type TextMap = Readonly<Record<string, string>>;

/** Who writes, and when. */
export interface Stamp {
  readonly by: string;
  readonly atMs: number;
}
