import pg from 'pg';
import { type Database } from '../../packages/server/src/db/connect.ts';
export interface TestDatabase extends Database {
    readonly connection: pg.ConnectionConfig;
    readonly url: string;
    /** Closes the pool and drops the database. */
    drop(): Promise<void>;
}
export declare function createTestDatabase({ empty }?: {
    empty?: boolean;
}): Promise<TestDatabase>;
