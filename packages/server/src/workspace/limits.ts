/** What the hosted product takes through this endpoint too; larger artifacts belong into volumes. */
export const importBytesMax = 10 * 1024 ** 2;
/** A folder with more is one that a program fills: list its parts. */
export const listedObjectsMax = 20_000;
