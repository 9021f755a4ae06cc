/** Statements of a server's superuser. @module */
import { Client, type QueryResult } from 'pg'

export interface ServerAddress {
  readonly port: number
  readonly superuser: string
  readonly password: string
}

/** Returns the rows of the last statement. */
export async function asSuperuser(
  { port, superuser, password }: ServerAddress,
  database: string,
  statements: string,
): Promise<readonly Record<string, unknown>[]> {
  const host = '127.0.0.1'
  const client = new Client({ host, port, user: superuser, password, database, ssl: false })
  await client.connect()
  try {
    const result = (await client.query(statements)) as QueryResult | QueryResult[]
    const last = Array.isArray(result) ? result.at(-1) : result
    return (last?.rows ?? []) as readonly Record<string, unknown>[]
  } finally {
    await client.end()
  }
}
